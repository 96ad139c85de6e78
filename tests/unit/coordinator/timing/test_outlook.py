"""The time that is left, as the coordinator tells it."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path
from typing import Any

import pytest

from coordinator.planning.planner import plan
from coordinator.store.store import Store
from coordinator.timing import outlook
from coordinator.timing.courses import Courses
from coordinator.timing.outlook import Outlook, Outlooks
from coordinator.timing.rates import Rates, rate_name
from protocol.messages import CallIdentity, Progress, Result, StatusQuery, Submit
from tests.lone_coordinator import LoneCoordinator, called, demux_result
from tests.plans import all_by
from tests.unit.coordinator.store.test_backups import make_old

TEN_MINUTES = 600_000
TRUTH = {"demux": 1_000, "asr": 40_000, "align": 14_000, "clean": 300, "subtitle": 700}
ENVIRONMENTS = {"demux": "common", "clean": "common", "subtitle": "common"}
WORKERS = {"common": 1, "speech": 1}


class PlayedHouse:
    """A store with jobs whose steps take what a test says; nothing runs, and the test is the clock."""

    def __init__(self, path: Path) -> None:
        self.store = Store(path / "jobs.sqlite")
        self.rates = Rates(self.store.get_fact, self.store.set_fact)
        self.courses = Courses()

    def add(self, **fields: Any) -> str:
        job = f"job-{len(self.store.newest_jobs(100)) + 1}"
        submit = Submit(media="/film.mkv", workflow="transcribe", user="u", out="/out", **fields)
        steps = plan(submit, all_by(lambda stage: ENVIRONMENTS.get(stage, "speech"))).steps
        self.store.add_job(job, submit, Path("/out"), steps, [])
        return job

    def measure(self, sound_ms: int, factor: float = 1.0) -> None:
        """Have measured steps of a film of this length."""
        film = Submit(media="/film.mkv", workflow="transcribe", user="u", out="/out")
        for stage, took_ms in TRUTH.items():
            name = rate_name(stage, ENVIRONMENTS.get(stage, "speech"), film, {})
            self.rates.note(name, sound_ms, round(factor * took_ms * sound_ms / TEN_MINUTES))

    def begin(self, job: str, name: str) -> None:
        step = next(step for step in self.store.steps(job) if step.name == name)
        self.store.begin(step, "1", "worker")

    def finish(self, job: str, name: str, sound_ms: int = TEN_MINUTES) -> None:
        step = next(step for step in self.store.steps(job) if step.name == name)
        result = {"audio_duration_ms": sound_ms} if name == "demux" else {}
        self.store.finish(step, result, (), 1)

    def left_ms(self, job: str, now_s: float = 0.0) -> int | None:
        """Return what is told of a job by who looks the first time."""
        return self.look(now_s).left_ms(job, now_s)

    def look(self, now_s: float = 0.0) -> Outlook:
        return Outlooks(self.store, self.rates, self.courses).look(WORKERS, now_s)


@pytest.fixture
def house(tmp_path: Path) -> PlayedHouse:
    return PlayedHouse(tmp_path)


def test_where_nothing_was_measured_no_time_is_told(house: PlayedHouse) -> None:
    job = house.add()
    house.finish(job, "demux")
    assert house.left_ms(job) is None
    assert house.look().shares == {}


def test_before_its_length_is_known_no_time_is_told(house: PlayedHouse) -> None:
    house.measure(TEN_MINUTES)
    job = house.add()
    assert house.left_ms(job) is None
    house.finish(job, "demux")
    assert house.left_ms(job) == pytest.approx(55_000, abs=5)


def test_a_clip_has_the_length_that_was_asked_for(house: PlayedHouse) -> None:
    house.measure(TEN_MINUTES)
    assert house.left_ms(house.add(start_ms=60_000, end_ms=360_000)) == pytest.approx(28_000, abs=500)


def test_the_next_film_waits_for_the_one_before(house: PlayedHouse) -> None:
    house.measure(TEN_MINUTES)
    first, second = house.add(), house.add()
    for job in (first, second):
        house.finish(job, "demux")
    outlook = house.look()
    assert outlook.left_ms(first, 0) == pytest.approx(40_000 + 15_000, abs=5)
    assert outlook.left_ms(second, 0) == pytest.approx(2 * 54_000 + 1_000, abs=5)
    assert outlook.all_left_ms(0) == outlook.left_ms(second, 0)


def test_a_film_of_unknown_length_does_not_hide_the_time_of_the_one_before(house: PlayedHouse) -> None:
    house.measure(TEN_MINUTES)
    first, second = house.add(), house.add()
    house.finish(first, "demux")
    outlook = house.look()
    assert outlook.left_ms(first, 0) == pytest.approx(55_000, abs=1_500)
    assert outlook.left_ms(second, 0) is None
    assert outlook.all_left_ms(0) is None


def test_of_a_long_queue_only_the_next_jobs_are_looked_at(
    house: PlayedHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "MOST_JOBS", 2)
    house.measure(TEN_MINUTES)
    first = house.add()
    house.finish(first, "demux")
    assert house.look().all_left_ms(0) is not None
    second, third = house.add(), house.add()
    found = house.look()
    assert set(found.ends_s) == {first, second}
    assert found.left_ms(first, 0) is not None
    assert found.left_ms(third, 0) is None
    assert found.all_left_ms(0) is None


def test_a_held_job_is_not_waited_for(house: PlayedHouse) -> None:
    house.add(hold=True)
    assert house.look().all_left_ms(0) == 0


def test_a_job_that_ended_and_one_that_nobody_knows_are_no_error(house: PlayedHouse) -> None:
    assert house.look().left_ms("job-9", 0) is None


def test_between_two_looks_time_runs_on(house: PlayedHouse) -> None:
    house.measure(TEN_MINUTES)
    job = house.add()
    house.finish(job, "demux")
    outlooks = Outlooks(house.store, house.rates, house.courses)
    assert outlooks.look(WORKERS, 100.0).left_ms(job, 100.5) == pytest.approx(54_500, abs=5)
    assert outlooks.look(WORKERS, 100.5).left_ms(job, 400.0) == 0
    assert outlooks.look(WORKERS, 200.0).left_ms(job, 200.0) == pytest.approx(55_000, abs=5)


def test_the_bar_is_shared_out_by_what_steps_took_here(house: PlayedHouse) -> None:
    house.measure(TEN_MINUTES)
    job = house.add()
    whole = sum(TRUTH.values())
    shares = house.look().shares[job]
    assert shares["asr"] / sum(shares.values()) == pytest.approx(TRUTH["asr"] / whole, abs=0.02)
    house.finish(job, "demux")
    shares = house.look().shares[job]
    assert shares["align"] / sum(shares.values()) == pytest.approx(TRUTH["align"] / whole, abs=0.001)


def test_the_first_film_is_told_by_its_own_pace(house: PlayedHouse) -> None:
    """Nothing was measured: recognition tells of itself, and by the weights of what follows it."""
    job = house.add()
    house.finish(job, "demux")
    house.begin(job, "asr")
    identity = CallIdentity(job=job, step="asr", attempt=1, run="1")
    for second in range(21):
        house.courses.note(identity, second / 40, float(second))
    assert house.left_ms(job, 20.0) == pytest.approx(20_000 + 40_000 * 14 / 50, rel=0.05)
    house.courses.note(identity, 1.0, 40.0)
    assert house.left_ms(job, 41.0) == pytest.approx(40_000 * 14 / 50, rel=0.05)


def played_error(house: PlayedHouse, dice: random.Random) -> float:
    """Play a film of ten minutes; return by how much the time was wrong that was told at 20 % of it.

    Earlier films, this film's steps and each of its chunks take up to a quarter more or less than usual.
    """

    def noise() -> float:
        return dice.uniform(0.75, 1.25)

    for sound_ms in (70_000, 530_000, 70_000, 1_500_000, 530_000):
        house.measure(sound_ms, noise())
    job = house.add()
    house.finish(job, "demux")
    house.begin(job, "asr")
    chunks = [TRUTH["asr"] / 10_000 * noise() for _ in range(10)]
    rest_s = sum(TRUTH[stage] * noise() for stage in ("align", "clean", "subtitle")) / 1000
    whole_s = 1 + sum(chunks) + rest_s
    now_s, told_at_s = 1.0, 0.2 * whole_s
    identity = CallIdentity(job=job, step="asr", attempt=1, run="1")
    house.courses.note(identity, 0.0, now_s)
    for number, chunk_s in enumerate(chunks, start=1):
        if now_s + chunk_s > told_at_s:
            break
        now_s += chunk_s
        house.courses.note(identity, number / len(chunks), now_s)
    told_ms = house.left_ms(job, told_at_s)
    assert told_ms is not None
    return told_ms / 1000 / (whole_s - told_at_s) - 1


@pytest.mark.parametrize("seed", range(60))
def test_at_a_fifth_of_a_film_the_time_that_is_left_is_right_to_a_quarter(
    house: PlayedHouse, seed: int
) -> None:
    assert abs(played_error(house, random.Random(seed))) <= 0.25


def test_a_step_that_is_done_is_measured_and_one_taken_over_is_not(lone: LoneCoordinator) -> None:
    lone.add_job()
    worker = lone.worker()
    identity = called(lone, worker)
    result, audio = demux_result(lone.path / "job1", identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=400), identity)
    lone.until(lambda: lone.step("job-1").state == "done")
    rate = lone.coordinator.dispatcher.rates.find("demux common")
    assert rate is not None
    assert rate.takes_ms(2_000) == 400
    assert lone.store.get_fact("rate demux common")
    step, job = lone.step("job-1"), lone.store.job("job-1")
    assert job is not None
    rates = Rates(lone.store.get_fact, lone.store.set_fact)
    rates.note_step(job, dataclasses.replace(step, worker=""), 2_000, 0)
    assert rates.find("demux common") == rate


def test_a_status_tells_the_time_of_each_job_and_of_all(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    worker = lone.worker()
    identity = called(lone, worker)
    (unknown,) = lone.ask(StatusQuery())
    assert (unknown.left_ms, unknown.jobs[0].left_ms) == (None, None)
    for stage in ("demux", "clean", "subtitle"):
        lone.coordinator.dispatcher.rates.note(f"{stage} common", 2_000, 1_000)
    for stage in ("asr", "align"):
        lone.coordinator.dispatcher.rates.note(f"{stage} speech", 2_000, 5_000)
    worker.say(Progress(fraction=0.5), identity)
    lone.until(lambda: lone.coordinator.dispatcher.progress.get((job, "demux")))
    lone.store.set_states(1, {"clean": "skipped"})
    (report,) = lone.ask(StatusQuery())
    assert report.jobs[0].left_ms is None, "nobody does its other steps"


def test_a_job_that_ended_has_nothing_left(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    row = lone.store.job(job)
    assert row is not None
    lone.store.set_job_state(row.seq, "done", 5)
    (report,) = lone.ask(StatusQuery())
    assert (report.left_ms, report.jobs[0].left_ms) == (0, 0)


def test_a_store_of_an_older_program_knows_no_rates_and_keeps_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "old.sqlite"
    make_old(path)
    store = Store(path)
    rates = Rates(store.get_fact, store.set_fact)
    assert rates.find("demux common") is None
    assert [(row.name, row.sound_ms) for row in store.outlines(9)] == [("demux", None)]
    assert Outlooks(store, rates, Courses()).look({"common": 1}, 0.0).left_ms("job-1", 0.0) is None
    rates.note("demux common", 60_000, 500)
    store.close()
    store = Store(path)
    assert Rates(store.get_fact, store.set_fact).find("demux common") is not None
    store.close()
