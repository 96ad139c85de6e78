"""The whole house with quick engines: real processes, real sockets."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import time
from dataclasses import replace
from pathlib import Path

import pytest

from protocol.errors import ErrorKind, InputError, MissingError, NotRunningError, UsageError
from protocol.messages import DryRun, StatusQuery, Submit
from tests.conftest import Figure
from tests.house import House, until

pytestmark = pytest.mark.integration


def test_a_film_goes_through_every_stage_and_its_outputs_lie_where_the_report_says(house: House) -> None:
    report = house.ended(house.submit(target_languages=("en",)))

    assert report.state == "done"
    assert [step.state for step in report.steps] == ["done"] * 8
    names = sorted(Path(output).name for output in report.outputs)
    kinds = ("json", "srt", "txt", "vtt")
    tracks = [f"Film 0.{language}.{kind}" for language in ("de", "en") for kind in kinds]
    assert names == [*tracks, "Film 0_subtitled.mkv"]
    assert all(Path(output).is_file() for output in report.outputs)
    assert not (Path(report.directory) / ".scratch").exists()
    manifest = json.loads((Path(report.directory) / "manifest.json").read_text())
    assert manifest["status"] == "done"
    job = json.loads((Path(report.directory) / "job.json").read_text())
    assert job["stage_environments"]["asr"] == "whisperx"


def test_what_was_taken_out_is_said_with_the_job(house: House) -> None:
    report = house.ended(house.submit(parameters={"clean": {"loop_keep": 1}}))
    assert "clean: 3 removed: 2 repeated, 1 outside speech." in report.notes
    folder = Path(report.directory) / "09_clean"
    assert sorted(path.name for path in folder.iterdir()) == ["cleaning.json", "transcript.json"]
    assert json.loads((folder / "cleaning.json").read_text())["speech"][0]["start_ms"] == 100


def test_a_second_film_loads_no_model(house: House) -> None:
    for _ in range(2):
        assert house.ended(house.submit()).state == "done"

    models = until(lambda: house.environment("whisperx").models)
    assert [(model.key, model.loads) for model in models] == [("fake:whisper-base@cpu/int8", 1)]


def test_a_bad_film_fails_alone_with_its_sentence(house: House) -> None:
    bad, good = house.submit(b"bad"), house.submit()

    assert house.ended(good).state == "done"
    report = house.ended(bad)
    assert report.state == "failed"
    assert report.error is not None
    assert report.error.message.endswith("is not a film.")
    assert report.steps[0].attempt == 1
    assert {step.state for step in report.steps[1:]} == {"skipped"}


def test_a_film_in_the_target_language_is_said_to_be_so_and_not_translated(house: House) -> None:
    parameters = {"asr": {"initial_prompt": "language:en"}}
    job = house.submit(workflow="translate", target_languages=("en",), parameters=parameters)

    report = house.ended(job)

    assert report.state == "done"
    assert "Film 0 is already in English: not translated." in report.notes
    states = {step.name: step.state for step in report.steps}
    assert states["translate-en"] == "skipped"
    assert states["subtitle-en"] == "done"
    assert any(output.endswith("Film 0.en.srt") for output in report.outputs)


@pytest.mark.parametrize("order", ["segfault", "exit"])
def test_a_film_that_kills_its_worker_twice_is_given_up_and_the_next_one_is_served(
    house: House, order: str
) -> None:
    deadly = house.submit(parameters={"asr": {"initial_prompt": order}})
    harmless = house.submit()

    report = house.ended(deadly)
    assert report.state == "failed"
    assert report.error is not None
    assert report.error.kind is ErrorKind.CRASHED
    assert next(step.attempt for step in report.steps if step.name == "asr") == 2
    assert house.ended(harmless).state == "done"


def test_films_that_kill_their_worker_do_not_take_the_environment_with_them(house: House) -> None:
    deadly = [house.submit(parameters={"asr": {"initial_prompt": "exit"}}) for _ in range(4)]
    harmless = house.submit()

    assert {house.ended(job, timeout_s=60).state for job in deadly} == {"failed"}
    assert house.ended(harmless).state == "done"


@pytest.mark.parametrize(
    ("order", "kind"),
    [("systemexit", ErrorKind.BUG), ("memory", ErrorKind.RESOURCE), ("bug", ErrorKind.BUG)],
)
def test_an_engine_that_raises_fails_its_step_and_not_its_worker(
    house: House, order: str, kind: ErrorKind
) -> None:
    pid = house.environment("whisperx").pid
    report = house.ended(house.submit(parameters={"asr": {"initial_prompt": order}}))

    assert report.state == "failed"
    assert report.error is not None
    assert report.error.kind is kind
    assert "Traceback" in report.error.details
    assert house.environment("whisperx").pid == pid


def test_what_may_pass_is_tried_again(house: House, tmp_path: Path) -> None:
    order = f"transient-once:{tmp_path / 'was-here'}"
    report = house.ended(house.submit(parameters={"asr": {"initial_prompt": order}}))

    assert report.state == "done"
    assert next(step.attempt for step in report.steps if step.name == "asr") == 2


def test_a_coordinator_that_is_killed_under_a_call_gets_its_result_and_no_model_is_lost(
    house: House, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    job = house.submit(parameters={"asr": {"initial_prompt": f"until:{release}"}})
    until(lambda: {s.name: s.state for s in house.job(job).steps}["asr"] == "running", what="asr runs")
    before, health = house.environment("whisperx"), house.health()
    assert health is not None

    os.kill(health.pid, signal.SIGKILL)
    until(lambda: (now := house.health()) is not None and now.pid != health.pid, what="a new coordinator")
    until(lambda: house.environment("whisperx").busy_with, what="the worker is known to be busy")
    release.touch()

    report = house.ended(job)
    assert report.state == "done"
    assert next(step.attempt for step in report.steps if step.name == "asr") == 1
    after = house.environment("whisperx")
    assert after.pid == before.pid
    assert [model.loads for model in after.models] == [1]


def test_a_stop_under_a_long_call_neither_loses_the_film_nor_blames_it(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    job = house.submit(parameters={"asr": {"initial_prompt": f"until:{release}"}})
    until(lambda: {s.name: s.state for s in house.job(job).steps}["asr"] == "running", what="asr runs")

    house.stop()
    release.touch()
    house.start()

    assert house.ended(job).state == "done"
    with sqlite3.connect(next(house.home.glob("**/jobs.sqlite"))) as store:
        assert store.execute("SELECT sum(kills), sum(failures) FROM steps").fetchone() == (0, 0)
    store.close()


@pytest.mark.alone
def test_no_process_is_left_a_second_after_the_supervisor_is_killed(
    house: House, tmp_path: Path, figure: Figure
) -> None:
    sign = tmp_path / "holding"
    house.submit(parameters={"asr": {"initial_prompt": f"hold-gil:{sign}"}})
    until(sign.exists, what="the worker holds the GIL")
    count = len(house.processes())
    assert count >= 6
    assert house.supervisor is not None

    house.supervisor.kill()
    house.supervisor.wait()

    begun = time.monotonic()
    until(lambda: not house.processes(), timeout_s=1.0, what="no process of ours")
    took_ms = (time.monotonic() - begun) * 1000
    figure(f"supervisor killed while a worker held the GIL: {count} processes gone in {took_ms:.0f} ms")


def test_a_busy_worker_that_holds_the_gil_still_echoes(house: House, tmp_path: Path) -> None:
    sign = tmp_path / "holding"
    house.submit(parameters={"asr": {"initial_prompt": f"hold-gil:{sign}"}})
    until(sign.exists, what="the worker holds the GIL")
    seen = house.environment("whisperx")
    for _ in range(3):
        until(lambda: house.environment("whisperx").echo_ms < 1_000, what="an echo")
    assert seen.state == "busy"


def test_a_worker_that_is_stopped_is_killed_and_replaced(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = house.environment("common").pid
    os.kill(pid, signal.SIGSTOP)

    until(lambda: house.environment("common").pid not in (pid, None), timeout_s=60, what="a new worker")
    assert pid not in [process.pid for process in house.processes()]
    assert house.ended(house.submit()).state == "done"


def test_output_of_native_code_lands_in_the_jobs_log_with_secrets_masked(house: House) -> None:
    report = house.ended(house.submit(parameters={"asr": {"initial_prompt": "print"}}))

    lines = (Path(report.directory) / "logs" / "asr.log").read_text()
    assert "a line from native code" in lines
    assert "token=***" in lines
    assert f"{report.job}/asr#1" in (house.home / "logs" / "whisperx.log").read_text()


def test_what_a_person_writes_wrong_is_refused_before_a_job_exists(house: House) -> None:
    with pytest.raises(UsageError, match="not a workflow"):
        house.submit(workflow="dub")
    with pytest.raises(UsageError, match="not a language"):
        house.submit(source_language="klingon")
    with pytest.raises(UsageError, match="no parameter 'beem'"):
        house.submit(parameters={"asr": {"beem": 1}})
    with pytest.raises(MissingError, match=r"translates .* into Gujarati"):
        house.submit(target_languages=("gu",))
    with pytest.raises(MissingError, match="not in the model store"):
        house.submit(parameters={"asr": {"model": "whisper-small"}})
    assert not list(house.out.glob("**/job.json"))


def test_a_file_that_is_not_there_is_refused(house: House) -> None:
    from protocol.messages import Submit

    with pytest.raises(InputError, match="is not there"):
        house.ask(Submit(media="/no/such/film.mkv", workflow="subtitle", user="x", out=str(house.out)))


def test_an_environment_that_crashes_in_a_loop_is_stopped_and_jobs_for_it_are_refused(
    tmp_path: Path,
) -> None:
    with House(tmp_path) as house:
        (house.home / "envspecs" / "whisperx.toml").write_text(
            (house.home / "envspecs" / "whisperx.toml").read_text().replace("FakeAsr", "NoSuchEngine")
        )
        house.add_environment_marker("whisperx")
        with pytest.raises(AssertionError):
            house.start(timeout_s=1.0)
        until(lambda: house.environment("whisperx").state == "unusable", what="unusable")
        health = house.health()
        assert health is not None
        assert not health.healthy
        with pytest.raises(NotRunningError, match="cannot be loaded"):
            house.submit()


def test_a_film_that_was_done_before_is_recognised_by_its_contents_and_costs_no_call(house: House) -> None:
    first = house.ended(house.submit(b"the same film", target_languages=("en",), title="One"))
    second = house.ended(house.submit(b"the same film", target_languages=("en",), title="One"))

    assert second.state == "done"
    taken = {f"{step.name} was done before, in {first.job}." for step in first.steps}
    assert taken <= set(second.notes)
    assert {step.duration_ms for step in second.steps} == {0}
    for mine, theirs in zip(second.outputs, first.outputs, strict=True):
        assert mine != theirs
        assert Path(mine).read_bytes() == Path(theirs).read_bytes()


def test_a_film_that_differs_only_between_the_samples_is_another_film(house: House) -> None:
    """Two sounds of 23 MB differed at 25 s only, and the second got the subtitles of the first."""
    sound = bytearray(random.Random(1).randbytes(4 << 20))
    first = house.ended(house.submit(bytes(sound)))
    sound[(4 << 20) // 15 + 100_000] ^= 1
    other = house.ended(house.submit(bytes(sound)))
    assert other.state == "done"
    taken = {note.split()[0] for note in other.notes if "was done before" in note}
    assert not taken & {"demux", "asr", "mux"}
    assert (Path(other.directory) / "01_demux" / "audio.wav").read_bytes() == bytes(sound)
    assert (Path(first.directory) / "01_demux" / "audio.wav").read_bytes() != bytes(sound)


def test_other_parameters_or_a_request_to_do_it_again_make_it_be_done_again(house: House) -> None:
    first = house.ended(house.submit(b"the same film"))
    other = house.ended(house.submit(b"the same film", parameters={"asr": {"beam_size": 1}}))
    assert f"demux was done before, in {first.job}." in other.notes
    assert f"asr was done before, in {first.job}." not in other.notes
    again = house.ended(house.submit(b"the same film", reuse=False))
    assert not any("was done before" in note for note in again.notes)


def test_what_was_done_before_and_is_gone_is_done_again(house: House) -> None:
    first = house.ended(house.submit(b"the same film", title="One"))
    (Path(first.directory) / "06_asr" / "segments.json").unlink()
    second = house.ended(house.submit(b"the same film", title="One"))
    assert second.state == "done"
    assert (Path(second.directory) / "06_asr" / "segments.json").is_file()


def test_workers_get_the_variables_of_computing_libraries_and_no_others(tmp_path: Path) -> None:
    said = {"CT2_FORCE_CPU_ISA": "GENERIC", "OMP_WAIT_POLICY": "PASSIVE", "HF_TOKEN": "hf_secret"}
    with House(tmp_path, **said) as house:
        house.start()
        kept = [p.environ() for p in house.processes() if "--environment" in p.cmdline()]
    assert len(kept) >= 2
    assert all({name: of.get(name) for name in said} == {**said, "HF_TOKEN": None} for of in kept)


def test_a_worker_is_told_a_thread_a_core_and_at_most_those_of_its_spec(tmp_path: Path) -> None:
    with House(tmp_path, CPW_CORES="5") as house:
        house.add_environment("other", {"asr": "FakeAsr"}, "computing = { threads = 3 }")
        house.start()
        told = {}
        for words in (process.cmdline() for process in house.processes()):
            if "--threads" in words:
                told[words[words.index("--environment") + 1]] = words[words.index("--threads") + 1]
    assert told == {"common": "5", "whisperx": "5", "other": "3"}


def test_a_dry_run_says_what_would_be_done_and_leaves_nothing(house: House, tmp_path: Path) -> None:
    film = tmp_path / "Sholay (1975).mkv"
    film.write_bytes(b"film")
    out = tmp_path / "none"
    submit = Submit(media=str(film), workflow="subtitle", user="asha", out=str(out), target_languages=("en",))
    wrong = replace(submit, media=str(tmp_path / "gone.mkv"))
    report = house.ask(DryRun(submissions=(submit, wrong), lengths_ms=(600_000, None)))
    planned, refused = report.films
    assert [step.name for step in planned.steps][:3] == ["demux", "asr", "align"]
    assert {step.name: (step.environment, step.model) for step in planned.steps}["translate-en"] == (
        "whisperx",
        "whisper-base",
    )
    assert planned.steps[1].reasons
    assert (planned.length_ms, planned.takes_ms, report.waits_ms) == (600_000, None, 0)
    assert [(model.environment, model.model) for model in report.models] == [("whisperx", "whisper-base")]
    assert refused.error.message.endswith("gone.mkv is not there.")
    assert house.ask(StatusQuery()).jobs == ()
    assert not out.exists()


def test_after_a_film_its_time_is_known_and_a_dry_run_tells_it(house: House) -> None:
    done = house.ended(house.submit(b"one"))
    assert done.left_ms == 0
    submit = Submit(media=done.media, workflow="subtitle", user="asha", out=str(house.out))
    (film,) = house.ask(DryRun(submissions=(submit,), lengths_ms=(600_000,))).films
    assert film.takes_ms is not None
    assert sum(step.takes_ms or 0 for step in film.steps) >= film.takes_ms > 0
    assert house.ask(StatusQuery()).left_ms == 0
