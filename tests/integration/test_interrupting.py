"""A film that is done inside another one's call: real processes and sockets, quick engines."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import ErrorKind
from protocol.job_changes import CancelJobs, ReloadEnvironment
from protocol.messages import JobReport, StepReport
from tests.house import House, until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

HOUR, CLIP = b"ms 3600000 ", b"ms 20000 "


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a running house."""
    with House(tmp_path) as built:
        built.start()
        yield built


def submit(house: House, length: bytes, order: str = "", **fields: Any) -> str:
    """Submit a film of this length, different from every other; its recognition does what `order` says."""
    number = len(list(house.home.glob("Film*")))
    parameters = {"asr": {"initial_prompt": order}} if order else {}
    return house.submit(length + b"%d" % number, workflow="transcribe", parameters=parameters, **fields)


def step(house: House, job: str, name: str = "asr") -> StepReport:
    return next(found for found in house.job(job).steps if found.name == name)


def runs(house: House, job: str) -> bool:
    return step(house, job).state == "running"


def held(house: House, release: Path, length: bytes = HOUR, **fields: Any) -> str:
    """Submit a film whose recognition goes on until `release` is there; return it when that runs."""
    job = submit(house, length, f"until:{release}", **fields)
    until(lambda: runs(house, job), what=f"{job} is recognised")
    return job


def is_done_inside(house: House, job: str) -> bool:
    """Return whether the worker does this job now."""
    now = house.environment("whisperx").busy_with
    return now is not None and (now.job, now.step) == (job, "asr")


def lives(house: House, job: str) -> tuple[int, int, int]:
    """Return attempt, kills and failures of the recognition."""
    store = sqlite3.connect(house.home / "state" / "jobs.sqlite", timeout=5)
    try:
        return store.execute(
            "SELECT attempt, kills, failures FROM steps JOIN jobs ON jobs.seq = steps.job"
            " WHERE jobs.id = ? AND steps.name = 'asr'",
            (job,),
        ).fetchone()
    finally:
        store.close()


def log(report: JobReport) -> list[str]:
    """Return the lines of the recognition's log, without when and where they were written."""
    written = Path(report.directory, "logs", "asr.log").read_text().splitlines()
    assert all(f" {report.job}/asr#" in line for line in written), written
    return [line.partition(" | ")[2] for line in written]


def done(house: House, job: str) -> JobReport:
    report = house.ended(job)
    assert report.state == "done", report.error
    return report


def pid(house: House) -> int:
    return int(house.environment("whisperx").pid)


def test_a_short_film_ends_while_a_long_one_is_recognised(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    long = held(house, release)
    clip = done(house, submit(house, CLIP, "print"))
    assert runs(house, long)
    release.touch()
    first = done(house, long)
    assert lives(house, long) == lives(house, clip.job) == (1, 0, 0)
    assert [model.loads for model in house.environment("whisperx").models] == [1]
    assert [line for line in log(first) if "begins" in line or "native" in line] == [
        "INFO workers.daemon: asr begins, attempt 1"
    ]
    assert "a line from native code" in log(clip)
    for report in (first, clip):
        assert sum(" begins, " in line for line in log(report)) == 1
        assert sum(" ends after " in line for line in log(report)) == 1


def test_the_time_of_the_film_inside_is_not_the_long_ones(house: House, tmp_path: Path) -> None:
    release, other = tmp_path / "release", tmp_path / "other"
    long = held(house, release)
    clip = held(house, other, CLIP)
    until(lambda: is_done_inside(house, clip), what="the clip is done inside")
    before_ms = step(house, clip).running_ms or 0
    until(lambda: (step(house, clip).running_ms or 0) > before_ms + 1_500, what="it runs for a while")
    other.touch()
    done(house, clip)
    release.touch()
    first = done(house, long)
    took_ms = step(house, long).duration_ms
    assert took_ms is not None
    assert took_ms < first.elapsed_ms - 1_000
    assert (step(house, clip).duration_ms or 0) > 1_000


def test_a_film_of_a_higher_priority_ends_while_another_is_recognised(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    long = held(house, release, CLIP)
    first = done(house, submit(house, HOUR, priority=1))
    assert runs(house, long)
    release.touch()
    done(house, long)
    assert lives(house, long) == lives(house, first.job) == (1, 0, 0)


def test_a_film_of_the_same_length_waits(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    long = held(house, release)
    same = submit(house, HOUR)
    done(house, submit(house, CLIP))
    assert step(house, same).state == "ready"
    release.touch()
    done(house, long)
    done(house, same)


def test_a_film_inside_another_inside_a_third_is_done_first(house: House, tmp_path: Path) -> None:
    releases = [tmp_path / name for name in ("long", "middle")]
    long = held(house, releases[0])
    middle = held(house, releases[1], b"ms 300000 ")
    until(lambda: is_done_inside(house, middle), what="the second is done inside the first")
    done(house, submit(house, CLIP))
    assert (runs(house, long), runs(house, middle)) == (True, True)
    releases[1].touch()
    done(house, middle)
    assert runs(house, long)
    releases[0].touch()
    done(house, long)


def test_a_long_film_is_cancelled_while_it_is_interrupted(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    long = held(house, tmp_path / "never")
    clip = held(house, release, CLIP)
    until(lambda: is_done_inside(house, clip), what="the clip is done inside")
    house.ask(CancelJobs(jobs=(long,)))
    assert house.ended(long).state == "cancelled"
    assert runs(house, clip)
    release.touch()
    done(house, clip)
    until(lambda: house.environment("whisperx").busy_with is None, what="the long one's call has ended")
    done(house, submit(house, HOUR))
    assert "CancelledError" in Path(house.job(long).directory, "logs", "asr.log").read_text()


def test_a_film_inside_is_cancelled_and_the_long_one_goes_on(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    long = held(house, release)
    clip = held(house, tmp_path / "never", CLIP)
    until(lambda: is_done_inside(house, clip), what="the clip is done inside")
    house.ask(CancelJobs(jobs=(clip,)))
    until(lambda: is_done_inside(house, long), what="the long one goes on")
    release.touch()
    done(house, long)
    assert lives(house, long) == (1, 0, 0)


@pytest.mark.parametrize(("order", "kind"), [("bug", ErrorKind.BUG), ("memory", ErrorKind.RESOURCE)])
def test_a_film_that_fails_inside_leaves_the_long_one_its_models(
    house: House, tmp_path: Path, order: str, kind: ErrorKind
) -> None:
    release = tmp_path / "release"
    long = held(house, release)
    clip = submit(house, CLIP, order)
    until(lambda: lives(house, clip)[2] == 1, what="it has failed once")
    assert runs(house, long)
    assert [model.loads for model in house.environment("whisperx").models] == [1]
    release.touch()
    done(house, long)
    report = house.ended(clip)
    assert report.error is not None
    assert (report.state, report.error.kind) == ("failed", kind)
    assert lives(house, long) == (1, 0, 0)


def test_a_worker_that_is_killed_costs_the_film_inside_a_life_and_the_long_one_none(
    house: House, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    long = held(house, release)
    clip = held(house, release, CLIP)
    until(lambda: is_done_inside(house, clip), what="the clip is done inside")
    os.kill(pid(house), signal.SIGKILL)
    until(lambda: lives(house, clip)[1] == 1, what="the clip is blamed")
    release.touch()
    done(house, long)
    done(house, clip)
    assert lives(house, long) == (2, 0, 0)
    assert lives(house, clip) == (2, 1, 0)


def test_a_film_that_kills_its_worker_does_so_inside_the_long_one_once(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    long = held(house, release)
    bad = submit(house, CLIP, "segfault")
    until(lambda: lives(house, bad)[1] == 1, what="it has killed the worker")
    until(lambda: runs(house, long), what="the long one runs again")
    release.touch()
    done(house, long)
    assert house.ended(bad).state == "failed"
    assert lives(house, long) == (2, 0, 0)
    assert lives(house, bad) == (2, 2, 0)


def test_a_coordinator_that_is_killed_meets_both_calls_again(house: House, tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    long = held(house, outer)
    clip = held(house, inner, CLIP)
    until(lambda: is_done_inside(house, clip), what="the clip is done inside")
    before = pid(house)
    os.kill(house.supervisor_state()["children"]["coordinator"]["pid"], signal.SIGKILL)
    until(lambda: is_done_inside(house, clip), what="the new coordinator knows")
    assert (runs(house, long), runs(house, clip)) == (True, True)
    inner.touch()
    done(house, clip)
    until(lambda: is_done_inside(house, long), what="the long one goes on")
    done(house, submit(house, CLIP))
    outer.touch()
    done(house, long)
    assert pid(house) == before
    assert lives(house, long) == lives(house, clip) == (1, 0, 0)


def test_a_worker_that_is_replaced_ends_both_calls(house: House, tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "inner"
    long = held(house, outer)
    clip = held(house, inner, CLIP)
    until(lambda: is_done_inside(house, clip), what="the clip is done inside")
    before = pid(house)
    reloading = house.ask(ReloadEnvironment(environment="whisperx"))
    assert (reloading.job, reloading.step) == (long, "asr")
    until(lambda: house.environment("whisperx").state == "draining", what="it drains")
    inner.touch()
    until(lambda: step(house, clip).state == "done", what="the clip is recognised")
    assert (runs(house, long), pid(house)) == (True, before)
    outer.touch()
    done(house, long)
    done(house, clip)
    assert pid(house) != before
    assert lives(house, long) == lives(house, clip) == (1, 0, 0)
