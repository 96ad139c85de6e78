"""Which free worker does which step."""

from __future__ import annotations

from dataclasses import replace
from typing import NoReturn

from coordinator.running.pairing import Wish, pair, wish_of
from coordinator.running.roster import Member, Roster
from coordinator.store.rows import StepRow
from protocol.messages import CallIdentity, Hello, LoadedModel
from tests.lone_coordinator import LoneCoordinator

LARGE = LoadedModel(key="whisper:whisper-large@cpu/int8", loads=1, load_ms=1)


def workers(roster: Roster, count: int) -> list[Member]:
    found = []
    for number in range(1, count + 1):
        hello = Hello(worker=f"w{number}", environment="x", pid=1, pulse="p", state="ready")
        found.append(roster.admit(hello, 0.0, "", 1.0))
    return found


def steps(lone: LoneCoordinator, count: int) -> list[StepRow]:
    return [lone.step(lone.add_job(), "asr") for _ in range(count)]


def no_wish(_: StepRow) -> NoReturn:
    raise AssertionError("there is no choice")


def given(
    ready: list[StepRow], openings: list[Member], wishes: dict[str, Wish] | None = None
) -> dict[str, str]:
    """Return job to worker; every step is taken as the dispatcher does it."""
    found = {}
    for step, member in pair(ready, openings, lambda step: (wishes or {}).get(step.job, Wish())):
        member.take(CallIdentity(job=step.job, step=step.name, attempt=1, run="1"))
        found[step.job] = member.name
    return found


def test_every_free_worker_gets_a_step(lone: LoneCoordinator) -> None:
    roster = Roster()
    workers(roster, 3)
    assert given(steps(lone, 4), roster.openings("x")) == {"job-1": "w1", "job-2": "w2", "job-3": "w3"}


def test_where_there_is_one_worker_nothing_is_compared(lone: LoneCoordinator) -> None:
    (worker,) = workers(Roster(), 1)
    assert [member for _, member in pair(steps(lone, 2), [worker], no_wish)] == [worker]


def test_a_step_goes_where_its_model_is_loaded_and_else_to_the_first(lone: LoneCoordinator) -> None:
    roster = Roster()
    workers(roster, 3)[1].models = (LARGE,)
    wishes = {"job-1": Wish(model="whisper-base"), "job-2": Wish(model="whisper-large")}
    assert given(steps(lone, 2), roster.openings("x"), wishes) == {"job-1": "w1", "job-2": "w2"}
    wishes = {"job-3": Wish(model="whisper-large"), "job-4": Wish(model="whisper-large")}
    for member in roster.members.values():
        for identity in member.calls():
            member.release(identity)
    assert given(steps(lone, 2), roster.openings("x"), wishes) == {"job-3": "w2", "job-4": "w1"}


def test_who_has_heard_the_film_goes_before_who_has_the_model(lone: LoneCoordinator) -> None:
    roster = Roster()
    workers(roster, 3)[1].models = (LARGE,)
    wishes = {"job-1": Wish(workers=frozenset({"w3", ""}), model="whisper-large")}
    assert given(steps(lone, 1), roster.openings("x"), wishes) == {"job-1": "w3"}


def test_a_free_worker_goes_before_one_that_would_begin_later(lone: LoneCoordinator) -> None:
    roster = Roster()
    first, second = workers(roster, 2)
    first.quick_work = second.quick_work = 1.0
    first.take(CallIdentity(job="j", step="asr", attempt=1, run="1"))
    wishes = {"job-1": Wish(workers=frozenset({"w1"}))}
    assert given(steps(lone, 3), roster.openings("x"), wishes) == {
        "job-1": "w2",
        "job-2": "w1",
        "job-3": "w2",
    }


def test_what_is_known_of_a_step_is_who_worked_for_its_job_and_its_model(lone: LoneCoordinator) -> None:
    job = lone.add_job(parameters={"asr": {"model": "whisper-large"}})
    lone.store.begin(lone.step(job, "asr"), "1", "whisperx.2.7.test")
    lone.store.begin(lone.step(job, "demux"), "1", "common.7.test")
    assert wish_of(lone.store, lone.step(job, "asr")).model == "whisper-large"
    align = wish_of(lone.store, lone.step(job, "align"))
    assert "whisperx.2.7.test" in align.workers
    assert "common.7.test" not in align.workers
    assert align.model == ""


def test_a_model_on_a_gpu_goes_before_one_on_a_processor_and_a_gpu_before_none(lone: LoneCoordinator) -> None:
    roster = Roster()
    first, second, third = workers(roster, 3)
    first.models = (LARGE,)
    third.models = (replace(LARGE, key="whisper:whisper-large@cuda:0/float16", device="cuda:0"),)
    wishes = {"job-1": Wish(model="whisper-large")}
    assert given(steps(lone, 1), roster.openings("x"), wishes) == {"job-1": third.name}
    cold = {"job-2": Wish(model="whisper-base", with_gpu=frozenset({"box"}))}
    second.name = f"{second.name}@box"
    assert given(steps(lone, 1), [first, second], cold) == {"job-2": second.name}
