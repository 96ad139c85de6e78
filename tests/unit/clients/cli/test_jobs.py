"""The commands that change jobs, against a coordinator in the test's hands."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from clients.cli import main
from clients.cli.jobs import parse_age
from clients.desk import Desk
from clients.screen.report import Report
from protocol.errors import NotRunningError, UsageError
from protocol.job_changes import CancelJobs, Changed, JobChange, Pruned, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import HealthQuery, HealthReport, Submit, Submitted

JOB = "job-20261122-ann-0001"


class Shell:
    """Runs commands; `answer` stands for the coordinator and `asked` is all it was asked."""

    def __init__(self, tmp_path: Path, answer: Callable[[Any], Any]) -> None:
        self._tmp_path = tmp_path
        self._answer = answer
        self.asked: list[Any] = []
        self._now = 0.0

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        self.asked.append(message)
        return self._answer(message)

    def run(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()

        @contextlib.contextmanager
        def connect(_: Path) -> Iterator[Shell]:
            yield self

        desk = Desk(
            home=self._tmp_path, runtime=self._tmp_path / "run", out=self._tmp_path / "out",
            report=Report(out, err), connect=connect, clock=lambda: self._now, pause=self._pause,
        )  # fmt: skip
        return main.run(main.cpw, words, "cpw", desk), out.getvalue(), err.getvalue()

    def _pause(self, seconds: float) -> None:
        self._now += seconds


def changed(*, was: str, state: str, steps: tuple[str, ...] = ()) -> Changed:
    return Changed(jobs=(JobChange(job=JOB, was=was, state=state, steps=steps),))


def test_a_cancelled_job_says_how_to_go_on(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: changed(was="running", state="cancelled", steps=("asr",)))
    assert shell.run("cancel", JOB) == (0, f"{JOB}: cancelled; to continue it: cpw resume {JOB}\n", "")
    assert shell.asked == [CancelJobs(jobs=(JOB,))]


def test_a_job_that_had_ended_is_said_to_have(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: changed(was="done", state="done"))
    assert shell.run("cancel", JOB)[:2] == (0, f"{JOB}: had already ended: done\n")


def test_an_unknown_job_is_what_you_wrote(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: Changed(jobs=(), unknown=("job-x",)))
    for words in (("cancel", "job-x"), ("resume", "job-x"), ("retry", "job-x", "--from", "asr")):
        code, _, err = shell.run(*words)
        assert code == 2
        assert "There is no job 'job-x'." in err


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (changed(was="failed", state="queued", steps=("asr", "align")), "continues with asr, align"),
        (changed(was="held", state="queued"), "continues"),
        (changed(was="done", state="done"), "nothing to resume: it is done"),
    ],
)
def test_a_resumed_job_says_what_is_done(tmp_path: Path, answer: Changed, words: str) -> None:
    shell = Shell(tmp_path, lambda _: answer)
    assert shell.run("resume", JOB)[:2] == (0, f"{JOB}: {words}\n")
    assert shell.run("resume", "--all")[0] == 0
    assert shell.asked == [ResumeJobs(jobs=(JOB,)), ResumeJobs(everything=True)]


def test_nothing_to_resume_is_said(tmp_path: Path) -> None:
    assert "no job has failed" in Shell(tmp_path, lambda _: Changed(jobs=())).run("resume", "--all")[1]


def test_resume_takes_jobs_or_all_of_them(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: None)
    assert shell.run("resume")[0] == 2
    assert shell.run("resume", JOB, "--all")[0] == 2
    assert shell.asked == []


def test_a_stage_is_retried_and_shown_as_json(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: changed(was="done", state="running", steps=("align",)))
    code, out, _ = shell.run("retry", JOB, "--from", "align", "--json")
    assert code == 0
    assert json.loads(out)["jobs"][0]["steps"] == ["align"]
    assert shell.asked == [RetryJob(job=JOB, stage="align")]


def test_jobs_are_pruned_in_portions_and_counted_whole(tmp_path: Path) -> None:
    portions = iter(
        [
            Pruned(jobs=("job-1", "job-2"), size_bytes=2_000_000, last=2, more=True),
            Pruned(jobs=("job-3",), size_bytes=1_000_000, last=5),
        ]
    )
    shell = Shell(tmp_path, lambda _: next(portions))
    assert shell.run("jobs", "prune", "--older-than", "12h", "--state", "failed,done") == (
        0,
        "3 jobs removed, 3 MB\n",
        "",
    )
    request = PruneJobs(older_than_ms=43_200_000, states=("failed", "done"), dry_run=False)
    assert shell.asked[0] == request
    assert shell.asked[1].after == 2


def test_a_dry_run_says_what_would_be(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: Pruned(jobs=(), size_bytes=0))
    assert shell.run("jobs", "prune", "--dry-run")[1] == "0 jobs would be removed, 0 MB\n"
    assert shell.asked[0].dry_run
    assert shell.asked[0].older_than_ms == 30 * 86_400_000


def test_a_folder_that_cannot_be_removed_is_named(tmp_path: Path) -> None:
    shell = Shell(tmp_path, lambda _: Pruned(jobs=(), size_bytes=0, kept=("job-1: Permission denied.",)))
    code, _, err = shell.run("jobs", "prune")
    assert code == 1
    assert "job-1: Permission denied." in err


@pytest.mark.parametrize("words", [("--older-than", "soon"), ("--state", "running"), ("--state", "")])
def test_what_cannot_be_pruned_is_not_asked_for(tmp_path: Path, words: tuple[str, str]) -> None:
    shell = Shell(tmp_path, lambda _: None)
    assert shell.run("jobs", "prune", *words)[0] == 2
    assert shell.asked == []


def test_ages_are_written_with_their_unit() -> None:
    assert [parse_age(age) for age in ("1d", "2h", "3min", "0s")] == [86_400_000, 7_200_000, 180_000, 0]
    with pytest.raises(UsageError):
        parse_age("30")


# submitting


class Forgetful:
    """A coordinator whose first answer to every submission is lost."""

    def __init__(self) -> None:
        self.jobs: dict[str, str] = {}
        self.away = 2

    def __call__(self, message: Any) -> Any:
        if isinstance(message, HealthQuery):
            if self.jobs and self.away:
                self.away -= 1
                raise NotRunningError("The coordinator does not answer.")
            return HealthReport(
                healthy=True, run="1", pid=1, uptime_ms=1, environments=(), jobs_running=0, jobs_queued=0
            )
        assert isinstance(message, Submit)
        known = message.key in self.jobs
        job = self.jobs.setdefault(message.key, f"job-{len(self.jobs) + 1}")
        if not known:
            raise NotRunningError("The coordinator does not answer.")
        return Submitted(job=job, directory="/out/1")


def test_a_submission_whose_answer_was_lost_is_sent_again_and_is_one_job(tmp_path: Path) -> None:
    (tmp_path / "film.mkv").touch()
    coordinator = Forgetful()
    code, out, _ = Shell(tmp_path, coordinator).run(
        "submit", str(tmp_path / "film.mkv"), "-w", "transcribe", "--hold"
    )
    assert code == 0
    assert list(coordinator.jobs.values()) == ["job-1"]
    assert "held; to start: cpw resume job-1" in out


@pytest.mark.parametrize(
    ("words", "priority", "hold"),
    [
        (("film.mkv",), 10, False),
        (("film.mkv", "--hold"), 10, True),
        (("film.mkv", "--priority", "-3"), -3, False),
        ((".",), 0, False),
        (("*.mkv",), 0, False),
        (("film.mkv", "other.mkv"), 0, False),
    ],
)
def test_somebody_who_names_one_film_goes_before_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], priority: int, hold: bool
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "film.mkv").touch()
    if "other.mkv" in words:
        (tmp_path / "other.mkv").touch()
    shell = Shell(tmp_path, Forgetful())
    assert shell.run("submit", *words, "-w", "transcribe", "--detach")[0] == 0
    submission = next(request for request in shell.asked if isinstance(request, Submit))
    assert (submission.priority, submission.hold) == (priority, hold)
