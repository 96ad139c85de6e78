from __future__ import annotations

import contextlib
import io
import json
import os
from pathlib import Path

import pytest

from clients.cli import main
from clients.cli.follow import ABSENCE_SECONDS
from clients.desk import Desk
from clients.screen.report import Report
from protocol.errors import ErrorInfo, ErrorKind, InputError, MissingError, NotRunningError
from protocol.messages import (
    HealthQuery,
    HealthReport,
    JobReport,
    StatusQuery,
    StatusReport,
    Submit,
    Submitted,
)
from protocol.messages import StepReport as Step


class Coordinator:
    """Takes films, and has them done one look after it took them; films named bad* fail."""

    def __init__(self) -> None:
        self.submissions: dict[str, Submit] = {}
        self.looks = 0
        self.refusal = None
        self.absent = set()
        self.interrupt_at = 0
        self.interrupt_after = -1
        self.silent = False
        self.healthy = True

    def ask(self, message, *, timeout_ms=None):
        if self.silent:
            raise NotRunningError("The coordinator does not answer.")
        if isinstance(message, HealthQuery):
            return HealthReport(
                healthy=self.healthy,
                run="r",
                pid=1,
                uptime_ms=1,
                environments=(),
                jobs_running=0,
                jobs_queued=0,
            )
        if isinstance(message, Submit):
            return self.take(message)
        assert isinstance(message, StatusQuery)
        return self.report(message)

    def take(self, submission):
        if len(self.submissions) == self.interrupt_after:
            raise KeyboardInterrupt
        if self.refusal is not None and "refused" in Path(submission.media).name:
            raise self.refusal
        job = f"job-20261122-ann-{len(self.submissions) + 1:04d}"
        self.submissions[job] = submission
        return Submitted(job=job, directory=f"/out/{job}", notes=("It is short.",))

    def report(self, query):
        self.looks += 1
        if self.looks == self.interrupt_at:
            raise KeyboardInterrupt
        if self.looks in self.absent:
            raise NotRunningError("The coordinator does not answer.")
        jobs = query.jobs or tuple(self.submissions)
        return StatusReport(
            jobs=tuple(self.job(job) for job in jobs if job in self.submissions),
            unknown=tuple(job for job in jobs if job not in self.submissions),
        )

    def job(self, job):
        submission = self.submissions[job]
        bad = "bad" in Path(submission.media).name
        state = "running" if self.looks < 2 else "failed" if bad else "done"
        error = (
            ErrorInfo(kind=ErrorKind.INPUT, message="It is no film.") if bad and state == "failed" else None
        )
        step = Step(
            name="asr", stage="asr", environment="w", state=state, attempt=1, fraction=0.5, error=error
        )
        return JobReport(
            job=job, state=state, media=submission.media, workflow=submission.workflow,
            directory=f"/out/{job}", created_at="2026-11-22T08:30:00.000Z", elapsed_ms=65_000, fraction=0.5,
            steps=(step,), language="de", language_probability=0.98, error=error,
        )  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def read(self) -> float:
        return self.now

    def pause(self, seconds: float) -> None:
        self.now += max(seconds, 0.5)


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


class Shell:
    def __init__(self, home, stream=io.StringIO) -> None:
        self.coordinator = Coordinator()
        self.home = home
        self.stream = stream

    def run(self, *words, command=main.cpw):
        clock = Clock()
        streams = (self.stream(), self.stream())
        desk = Desk(
            home=self.home, runtime=self.home / "rt", out=self.home / "out", report=Report(*streams),
            connect=lambda _: contextlib.nullcontext(self.coordinator), clock=clock.read, pause=clock.pause,
        )  # fmt: skip
        code = main.run(command, [str(word) for word in words], "cpw", desk)
        return code, *(stream.getvalue() for stream in streams)


@pytest.fixture
def shell(tmp_path, monkeypatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    for name in ("film.mp4", "bad.mp4", "-dash.mp4", "refused.mp4"):
        (tmp_path / name).touch()
    return Shell(tmp_path)


def test_a_film_is_followed_until_it_is_done(shell):
    code, out, err = shell.run("submit", "film.mp4", "-w", "transcribe")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "film.mp4: submitted as job-20261122-ann-0001",
        "film.mp4: asr started",
        "film.mp4: asr done",
        "film.mp4: done in 1:05",
        "  source language: German (0.98)",
        "  note: It is short.",
    ]


def test_both_names_of_the_command_are_one(shell):
    assert shell.run("film.mp4", "-w", "transcribe", command=main.load("submit"))[0] == 0


def test_a_failed_film_ends_with_1_and_its_sentence_and_the_others_are_done(shell):
    code, out, err = shell.run("submit", "bad.mp4", "film.mp4", "-w", "transcribe")
    assert code == 1
    assert "failed  1:05  bad.mp4   It is no film." in out
    assert "film.mp4: done in 1:05" in out
    assert err == "error: bad.mp4: It is no film.\n  try: cpw logs job-20261122-ann-0001\n"


def test_a_name_with_a_dash_goes_after_two(shell):
    assert shell.run("submit", "-w", "transcribe", "--", "-dash.mp4")[0] == 0
    (submission,) = shell.coordinator.submissions.values()
    assert submission.media == str(shell.home.resolve() / "-dash.mp4")


def test_with_one_wrong_name_nothing_is_submitted(shell):
    code, _, err = shell.run("submit", "film.mp4", "nope.mp4", "-w", "translate", "-t", "xx")
    assert code == 2
    assert err.count("error: ") == 2
    assert shell.coordinator.submissions == {}


def test_a_missing_environment_ends_with_3_and_its_remedy(shell):
    shell.coordinator.refusal = MissingError(
        "The environment whisperx is not built.", "cpw envs build whisperx"
    )
    code, _, err = shell.run("submit", "refused.mp4", "-w", "transcribe")
    assert (code, err) == (
        3,
        "error: The environment whisperx is not built.\n  try: cpw envs build whisperx\n",
    )


def test_a_film_that_is_refused_for_itself_does_not_stop_the_batch(shell):
    shell.coordinator.refusal = InputError("It went away.")
    code, out, err = shell.run("submit", "refused.mp4", "film.mp4", "-w", "transcribe")
    assert code == 1
    assert "film.mp4: done" in out
    assert "error: refused.mp4: It went away." in err


def test_a_name_that_is_not_utf8_fails_alone_and_is_shown_with_escapes(shell):
    folder = shell.home / "in"
    folder.mkdir()
    for name in (b"caf\xe9.mp4", b"film.mp4"):
        film = folder / os.fsdecode(name)
        film.touch()
        os.utime(film, (1_700_000_000, 1_700_000_000))
    told = "error: caf\\xe9.mp4: The file's name is not UTF-8.\n  try: Rename it, then submit it again.\n"
    code, out, err = shell.run("submit", "in", "-w", "transcribe")
    assert (code, "film.mp4: done" in out, err) == (1, True, told)
    code, out, _ = shell.run("submit", "in", "-w", "transcribe", "--json")
    (_, refused) = json.loads(out)["jobs"]
    assert (code, refused["state"], refused["media"]) == (1, "failed", f"{folder}/caf\\xe9.mp4")
    code, out, err = shell.run("submit", os.fsdecode(b"in/caf\xe9.mp4"), "-w", "transcribe")
    assert (code, out, err) == (1, "", told)


def test_a_detached_submission_says_how_to_watch(shell):
    code, out, _ = shell.run("submit", "film.mp4", "-w", "transcribe", "--detach")
    assert code == 0
    assert out.splitlines()[-1] == "to see progress: cpw status job-20261122-ann-0001"
    assert shell.coordinator.looks == 0


def test_json_is_one_document_and_progress_stands_beside_it(shell):
    code, out, err = shell.run("submit", "film.mp4", "bad.mp4", "-w", "transcribe", "--json")
    document = json.loads(out)
    assert code == 1
    assert document["version"] == 1
    assert [job["state"] for job in document["jobs"]] == ["done", "failed"]
    assert document["jobs"][0]["notes"] == ["It is short."]
    assert "film.mp4: asr started" in err


def test_an_absence_of_the_coordinator_is_waited_for(shell):
    shell.coordinator.absent = {1, 2, 3}
    code, _, err = shell.run("submit", "film.mp4", "-w", "transcribe")
    assert code == 0
    assert err.splitlines() == ["waiting for the coordinator ...", "the coordinator is back"]


def test_a_long_absence_ends_the_following_with_4(shell):
    shell.coordinator.absent = set(range(1, 1000))
    code, _, err = shell.run("submit", "film.mp4", "-w", "transcribe")
    assert code == 4
    assert f"for {ABSENCE_SECONDS:.0f} s; the jobs are kept" in err


def test_an_interrupt_leaves_the_job_and_says_how_to_watch(shell):
    shell.coordinator.interrupt_at = 1
    code, _, err = shell.run("submit", "film.mp4", "-w", "transcribe")
    assert code == 130
    assert err == "the job continues; to see progress: cpw status job-20261122-ann-0001\n"


def test_nobody_there_is_told_before_anything_is_sent(shell):
    shell.coordinator.silent = True
    for words in (["submit", "film.mp4", "-w", "transcribe"], ["status"], ["health"]):
        code, _, err = shell.run(*words)
        assert (code, err) == (4, "error: Nothing is running.\n  try: make up\n")


def test_an_unknown_job_ends_with_2_and_the_known_are_shown(shell):
    shell.run("submit", "film.mp4", "-w", "transcribe")
    code, out, err = shell.run("status", "job-20261122-ann-0001", "job-9")
    assert code == 2
    assert "film.mp4" in out
    assert err.startswith("error: There is no job 'job-9'.")


def test_one_job_is_shown_with_its_steps_and_errors(shell):
    shell.run("submit", "bad.mp4", "-w", "transcribe")
    code, out, err = shell.run("status", "job-20261122-ann-0001")
    assert code == 0
    assert "step  environment" in out
    assert err == "error: asr: It is no film.\n"


def test_status_as_json_names_what_is_unknown(shell):
    assert json.loads(shell.run("status", "x", "--json")[1]) == {
        "version": 1,
        "jobs": [],
        "unknown": ["x"],
        "left_ms": None,
    }


def test_health_ends_with_0_only_when_healthy(shell):
    assert shell.run("health")[0] == 0
    shell.coordinator.healthy = False
    assert shell.run("health")[0] == 4
    assert json.loads(shell.run("health", "--json")[1])["healthy"] is False


def test_a_wrong_option_is_one_sentence_and_2(shell):
    code, out, err = shell.run("status", "--jsn")
    assert (code, out) == (2, "")
    assert err.startswith("error: No such option")
    assert err.endswith("try: cpw status --help\n")


@pytest.mark.parametrize("group", ["cluster", "service"])
def test_a_group_without_a_command_shows_its_commands(shell, group):
    code, out, err = shell.run(group)
    assert (code, err) == (2, "")
    assert out.startswith(f"Usage: cpw {group} ")
    assert "\nCommands:\n" in out


def test_without_a_terminal_no_control_character_is_written(shell):
    (shell.home / "a\x1b[31m\nb.mp4").touch()
    _, out, err = shell.run("submit", ".", "-w", "transcribe")
    assert all(character == "\n" or character.isprintable() for character in out + err)
    assert "a\\x1b[31m\\nb.mp4: done" in out


def test_on_a_terminal_bars_go_and_the_end_stays(tmp_path, monkeypatch, shell):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "80")
    shell.stream = Terminal
    code, out, _ = shell.run("submit", "film.mp4", "-w", "transcribe")
    assert code == 0
    assert "━━━━━━━━━━──────────" in out
    assert "film.mp4: done in 1:05" in out


def test_envs_and_models_are_passed_on_as_written(shell, monkeypatch):
    from clients.cli import envs

    seen = []
    monkeypatch.setattr(envs, "envspecs_main", lambda words, *_: seen.append(words) or 3)
    assert shell.run("envs", "build", "common", "--again")[0] == 3
    assert shell.run("models", "--help")[0] == 3
    assert seen == [["build", "common", "--again"], ["models", "--help"]]


def test_the_logs_of_an_environment_are_its_last_lines(shell):
    (shell.home / "logs").mkdir()
    (shell.home / "logs" / "whisperx.log").write_text("one\ntwo\nthree\x1b[0m\n")
    assert shell.run("logs", "whisperx", "-n", 2)[:2] == (0, "two\nthree\\x1b[0m\n")


def test_the_logs_of_a_job_are_found_without_the_coordinator(shell):
    logs = shell.home / "out" / "2026" / "11" / "22" / "ann-b" / "0001" / "logs"
    logs.mkdir(parents=True)
    (logs / "asr.log").write_text("heard\n")
    (logs / "demux.log").write_text("cut\n")
    shell.coordinator.silent = True
    assert shell.run("logs", "job-20261122-ann-b-0001")[1] == "==> asr <==\nheard\n==> demux <==\ncut\n"


def test_the_logs_of_nobody_name_those_there_are(shell):
    code, _, err = shell.run("logs", "whisperz")
    assert code == 2
    assert "One of these names: supervisor, coordinator" in err


def test_a_following_of_a_log_ends_with_130(shell):
    (shell.home / "logs").mkdir()
    log = shell.home / "logs" / "coordinator.log"
    log.write_text("before\n")
    turns = iter(["now\nhalf", " a line\n"])

    def pause(_: float) -> None:
        with log.open("a") as file:
            try:
                file.write(next(turns))
            except StopIteration:
                raise KeyboardInterrupt from None

    out = io.StringIO()
    desk = Desk(
        home=shell.home, runtime=shell.home, out=shell.home, report=Report(out, out),
        connect=lambda _: contextlib.nullcontext(shell.coordinator), pause=pause,
    )  # fmt: skip
    assert main.run(main.cpw, ["logs", "coordinator", "-f"], "cpw", desk) == 130
    assert out.getvalue() == "before\nnow\nhalf a line\n"


def test_the_first_log_of_a_job_is_followed_too(shell):
    folder = shell.home / "out" / "2026" / "11" / "22" / "ann" / "0001"
    folder.mkdir(parents=True)

    def pause(_: float) -> None:
        if (folder / "logs").is_dir():
            raise KeyboardInterrupt
        (folder / "logs").mkdir()
        (folder / "logs" / "demux.log").write_text("cut\n")

    out = io.StringIO()
    shell.coordinator.silent = True
    desk = Desk(
        home=shell.home, runtime=shell.home, out=shell.home / "out", report=Report(out, out),
        connect=lambda _: contextlib.nullcontext(shell.coordinator), pause=pause,
    )  # fmt: skip
    assert main.run(main.cpw, ["logs", "job-20261122-ann-0001", "-f"], "cpw", desk) == 130
    assert out.getvalue() == "job-20261122-ann-0001 has no log yet\ncut\n"


def test_a_detached_submission_as_json_has_the_same_shape(shell):
    _, out, _ = shell.run("submit", "film.mp4", "-w", "transcribe", "--detach", "--json")
    (found,) = json.loads(out)["jobs"]
    assert (found["state"], found["notes"]) == ("running", ["It is short."])
