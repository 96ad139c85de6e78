"""Two real whisperx workers on the processor: two films at a time, and one of the two killed.

In a home of its own: this checkout's environment is only read.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.messages import EnvironmentHealth
from tests.building_house import BuildingHouse
from tests.conftest import Figure
from tests.data import ROOT, data
from tests.house import REAL_COMMON_STAGES, REAL_SPEECH_STAGES, until

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(900)]

START_S = 400.0


@pytest.fixture
def house(tmp_path: Path) -> Iterator[BuildingHouse]:
    """Return a running house with the real common, and two workers of the real whisperx."""
    settings = {"CPW_MODELS": str(ROOT / "models"), "CPW_WORKERS_WHISPERX": "2", "CUDA_VISIBLE_DEVICES": ""}
    with BuildingHouse(tmp_path, common=REAL_COMMON_STAGES, speech=REAL_SPEECH_STAGES, **settings) as built:
        built.use_packages_of("common")
        built.use_packages_of("whisperx")
        built.start(timeout_s=START_S)
        yield built


def workers(house: BuildingHouse) -> dict[str, EnvironmentHealth]:
    """Return the health of each worker of whisperx, by its name."""
    report = until(house.health, what="health")
    return {row.worker: row for row in report.environments if row.environment == "whisperx"}


def recognise(house: BuildingHouse) -> str:
    """Submit the film, to be heard anew each time."""
    return house.submit(data("film/film_en.mp4").read_bytes(), workflow="transcribe", reuse=False)


def both_hear(house: BuildingHouse) -> dict[str, EnvironmentHealth]:
    """Return the workers, once each of them recognises a film."""

    def look() -> dict[str, EnvironmentHealth] | None:
        found = workers(house)
        calls = {row.busy_with.job for row in found.values() if row.busy_with and row.busy_with.step == "asr"}
        return found if len(calls) == 2 else None

    return until(look, 60, "two recognitions at a time")


def heard(house: BuildingHouse, job: str) -> tuple[str, dict[str, int]]:
    """Return the transcript of a job that is done, and how often each step was given out."""
    report = house.ended(job, timeout_s=START_S)
    assert report.state == "done", report.error
    transcript = next(Path(report.directory).glob("*_align/transcript.json")).read_text()
    return transcript, {step.name: step.attempt for step in report.steps}


def test_two_workers_hear_two_films_at_a_time_and_one_of_them_can_die(
    house: BuildingHouse, figure: Figure
) -> None:
    before = workers(house)
    assert list(before) == ["whisperx", "whisperx.2"]
    assert all(row.models for row in before.values()), "each has loaded its own"

    begun = time.monotonic()
    alone, given_out = heard(house, recognise(house))
    alone_s = time.monotonic() - begun
    begun = time.monotonic()
    together = [recognise(house) for _ in range(2)]
    cores = sorted(row.cores for row in both_hear(house).values())
    texts = [heard(house, job)[0] for job in together]
    together_s = time.monotonic() - begun
    assert texts == [alone, alone], "the same film has the same text wherever it is heard"
    assert sum(cores) <= max(2, os.cpu_count() or 1)
    calls = {name: row.calls_done for name, row in workers(house).items()}
    assert all(calls.values()), calls

    hit = [recognise(house) for _ in range(2)]
    running = both_hear(house)
    dying = running["whisperx.2"].busy_with
    assert dying is not None
    os.kill(running["whisperx.2"].pid or 0, signal.SIGKILL)
    found = {job: heard(house, job) for job in hit}
    assert {transcript for transcript, _ in found.values()} == {alone}
    expected = {job: given_out | ({"asr": 2} if job == dying.job else {}) for job in hit}
    assert {job: attempts for job, (_, attempts) in found.items()} == expected
    until(lambda: workers(house)["whisperx.2"].usable, START_S, "a new second worker")
    after = workers(house)
    assert after["whisperx"].pid == before["whisperx"].pid
    assert after["whisperx.2"].pid != before["whisperx.2"].pid
    figure(
        f"two whisperx workers on the processor: one film {alone_s:.1f} s, two at a time {together_s:.1f} s "
        f"({max(cores)} cores each); one killed: its film heard again, the other's worker unchanged"
    )
