"""Which waiting step is done inside a running call, when it is sent, and what becomes of both."""

from __future__ import annotations

import dataclasses

import pytest

from coordinator.running import interrupting
from coordinator.running.interrupting import PORTION, Work, may_interrupt
from protocol.errors import ErrorInfo, ErrorKind
from protocol.job_changes import CancelJobs, PruneJobs
from protocol.messages import Call, CallIdentity, Cancel, Failure, Progress, Result
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called, demux_result

_NO_PROCESS = 2**22 + 1
LONG_MS, SHORT_MS = 3_600_000, 20_000
CRASH = ErrorInfo(kind=ErrorKind.RESOURCE, message="Memory ran out.")
BORDER = Progress(fraction=0.0, interruptible=True)
BEGUN = Progress(fraction=0.0)


# the rule


def work(left: float, priority: int = 0) -> Work:
    return Work(priority=priority, left=left)


def test_a_short_step_interrupts_a_long_one_and_one_that_is_not_short_waits() -> None:
    assert may_interrupt(work(100), work(25), ran_ms=0, inside_ms=0)
    assert not may_interrupt(work(100), work(26), ran_ms=0, inside_ms=0)


def test_a_step_whose_length_is_not_known_waits() -> None:
    assert not may_interrupt(work(100), work(0), ran_ms=0, inside_ms=0)
    assert not may_interrupt(work(0), work(0), ran_ms=0, inside_ms=0)


def test_a_higher_priority_interrupts_at_any_length_for_nine_tenths_of_the_time_and_a_lower_one_never() -> (
    None
):
    assert may_interrupt(work(10), work(1_000, priority=1), ran_ms=10, inside_ms=9)
    assert not may_interrupt(work(10), work(1_000, priority=1), ran_ms=10, inside_ms=10)
    assert not may_interrupt(work(1_000), work(1, priority=-1), ran_ms=10, inside_ms=0)


def test_short_steps_take_half_of_a_long_ones_time_at_most() -> None:
    assert may_interrupt(work(100), work(1), ran_ms=1_000, inside_ms=500)
    assert not may_interrupt(work(100), work(1), ran_ms=1_000, inside_ms=501)


# through the real loop


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Compare in every turn of the loop; return for how long running calls have run, as the test says."""
    played = {"ran_ms": 0}
    monkeypatch.setattr(interrupting, "LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(interrupting, "since_iso_ms", lambda _at: played["ran_ms"])
    return played


@pytest.fixture
def common(lone: LoneCoordinator) -> PlayedWorker:
    """Return the worker that does demux."""
    return lone.worker("common")


def turns(lone: LoneCoordinator, count: int = 20) -> None:
    for _ in range(count):
        lone.coordinator.turn(0)


def film(lone: LoneCoordinator, common: PlayedWorker, length_ms: int, priority: int = 0) -> str:
    """Submit a film and do its demux; return the job, whose recognition is ready."""
    job = lone.add_job(priority=priority)
    identity = called(lone, common)
    assert identity.job == job
    result, audio = demux_result(lone.path / job.replace("-", ""), identity)
    found = Result(result={**result, "audio_duration_ms": length_ms}, artefacts=(audio,), duration_ms=500)
    common.say(found, identity)
    lone.until(lambda: lone.step(job).state == "done")
    return job


def running_at_a_border(lone: LoneCoordinator, speech: PlayedWorker) -> CallIdentity:
    """Return the call that the worker is given, which has said that another can be done inside it."""
    identity = called(lone, speech)
    speech.say(BORDER, identity)
    return identity


def state(lone: LoneCoordinator, job: str) -> str:
    turns(lone)
    return lone.step(job, "asr").state


def failure(took_ms: int, error: ErrorInfo = CRASH) -> Failure:
    return Failure(error=error, duration_ms=took_ms)


def test_a_short_film_is_sent_inside_a_long_one_that_has_said_it_can_be_interrupted(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    long = called(lone, speech)
    speech.say(Progress(fraction=0.1), long)
    clip = film(lone, common, SHORT_MS)
    assert state(lone, clip) == "ready", "its engine cannot be interrupted"
    speech.say(BORDER, long)
    envelope = lone.until(lambda: speech.next(Call))
    assert (envelope.header.job, envelope.body["inside"]) == (clip, True)
    assert lone.members[speech.name].call == long, "until the worker says that it does the other one"
    speech.say(BEGUN, lone.step(clip, "asr").identity)
    lone.until(lambda: lone.members[speech.name].interrupted == [long])


def test_a_call_that_runs_alone_is_not_sent_as_one_inside(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    assert lone.until(lambda: speech.next(Call)).body["inside"] is False


def test_a_film_of_the_same_length_waits_and_one_of_a_higher_priority_does_not(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    running_at_a_border(lone, speech)
    same, lower = film(lone, common, LONG_MS), film(lone, common, SHORT_MS, priority=-1)
    assert (state(lone, same), state(lone, lower)) == ("ready", "ready")
    first = film(lone, common, LONG_MS, priority=1)
    assert called(lone, speech).job == first


def test_a_film_is_short_against_what_is_left_of_the_long_one(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    speech.say(Progress(fraction=0.99, interruptible=True), called(lone, speech))
    clip = film(lone, common, SHORT_MS)
    assert state(lone, clip) == "ready"


def test_a_short_film_behind_many_long_ones_is_found(lone: LoneCoordinator, common: PlayedWorker) -> None:
    for _ in range(2 * PORTION + 2):
        film(lone, common, LONG_MS)
    clip = film(lone, common, SHORT_MS)
    speech = lone.worker("whisperx")
    running_at_a_border(lone, speech)
    assert called(lone, speech).job == clip


def test_every_worker_of_an_environment_looks_through_all_that_waits(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    film(lone, common, LONG_MS)
    first = lone.worker("whisperx")
    call_of_first = called(lone, first)
    film(lone, common, LONG_MS)
    second = lone.worker("whisperx", number=2)
    almost_done = called(lone, second)
    for _ in range(PORTION):
        film(lone, common, LONG_MS)
    clip = film(lone, common, SHORT_MS)
    second.say(Progress(fraction=0.99, interruptible=True), almost_done)
    first.say(BORDER, call_of_first)
    assert called(lone, first).job == clip
    assert second.told(Call) == [], "nothing is short against what is left of its call"


def test_a_long_film_goes_on_however_many_short_ones_come(
    lone: LoneCoordinator, common: PlayedWorker, clock: dict[str, int]
) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    running_at_a_border(lone, speech)
    first, second, third = (film(lone, common, SHORT_MS) for _ in range(3))
    inside = called(lone, speech)
    speech.say(BEGUN, inside)
    assert inside.job == first
    # One that fails has taken its time, too.
    speech.say(failure(30_000, ErrorInfo(kind=ErrorKind.INPUT, message="It is no film.")), inside)
    clock["ran_ms"] = 59_000
    assert state(lone, second) == "ready"
    clock["ran_ms"] = 60_000
    inside = called(lone, speech)
    assert inside.job == second
    speech.say(BEGUN, inside)
    speech.say(failure(20_000), inside)
    clock["ran_ms"] = 99_000
    assert state(lone, third) == "ready"
    clock["ran_ms"] = 100_000
    assert called(lone, speech).job == third


def test_a_call_inside_can_be_interrupted_itself_and_has_its_own_time(
    lone: LoneCoordinator, common: PlayedWorker, clock: dict[str, int]
) -> None:
    clock["ran_ms"] = 10_000
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    long = running_at_a_border(lone, speech)
    film(lone, common, SHORT_MS)
    used = called(lone, speech)
    speech.say(BEGUN, used)
    speech.say(failure(5_000), used)
    film(lone, common, LONG_MS // 5)
    middle = called(lone, speech)
    speech.say(BEGUN, middle)
    speech.say(BORDER, middle)
    clip = film(lone, common, SHORT_MS)
    inner = called(lone, speech)
    assert inner.job == clip
    speech.say(BEGUN, inner)
    speech.say(BORDER, inner)
    member = lone.members[speech.name]
    lone.until(lambda: member.interrupted == [long, middle])
    last = film(lone, common, SHORT_MS // 100)
    assert state(lone, last) == "ready", "each interrupted call keeps its memory"


def test_a_dead_worker_takes_the_blame_for_the_inner_call_alone(
    lone: LoneCoordinator, common: PlayedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    monkeypatch.setattr("coordinator.watching.EXIT_RECORDED_WITHIN_S", 0.0)
    long = film(lone, common, LONG_MS)
    speech = lone.worker("whisperx", pid=_NO_PROCESS)
    running_at_a_border(lone, speech)
    clip = film(lone, common, SHORT_MS)
    speech.say(BEGUN, called(lone, speech))
    lone.until(lambda: lone.members[speech.name].interrupted)
    speech.leave()
    lone.until(lambda: not lone.store.running_steps())
    assert (lone.step(long, "asr").state, lone.step(long, "asr").kills) == ("ready", 0)
    assert lone.step(clip, "asr").kills == 1


def test_a_dead_worker_takes_no_blame_for_a_call_that_it_had_not_begun_inside(
    lone: LoneCoordinator, common: PlayedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    monkeypatch.setattr("coordinator.watching.EXIT_RECORDED_WITHIN_S", 0.0)
    long = film(lone, common, LONG_MS)
    speech = lone.worker("whisperx", pid=_NO_PROCESS)
    running_at_a_border(lone, speech)
    clip = film(lone, common, SHORT_MS)
    called(lone, speech)
    speech.leave()
    lone.until(lambda: not lone.store.running_steps())
    assert lone.step(long, "asr").kills == 1
    assert (lone.step(clip, "asr").state, lone.step(clip, "asr").kills) == ("ready", 0)


def test_a_step_that_has_failed_is_done_alone(lone: LoneCoordinator, common: PlayedWorker) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    long = running_at_a_border(lone, speech)
    clip = film(lone, common, SHORT_MS)
    inside = called(lone, speech)
    speech.say(BEGUN, inside)
    speech.say(failure(1), inside)
    lone.until(lambda: lone.step(clip, "asr").failures == 1)
    lone.until(lambda: lone.step(clip, "asr").state == "ready")
    speech.say(BORDER, long)
    assert state(lone, clip) == "ready", "it may need the memory that the long one holds"
    speech.say(failure(1, ErrorInfo(kind=ErrorKind.INPUT, message="It is no film.")), long)
    assert called(lone, speech).job == clip
    speech.say(BORDER, lone.step(clip, "asr").identity)
    shorter = film(lone, common, SHORT_MS // 10)
    assert state(lone, shorter) == "ready", "and is not interrupted either"


def test_a_film_whose_length_is_stored_wrong_waits(lone: LoneCoordinator, common: PlayedWorker) -> None:
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    running_at_a_border(lone, speech)
    clip = film(lone, common, LONG_MS)
    step = lone.step(clip)
    lone.store.finish(step, {"audio_duration_ms": "long"}, step.artefacts, 1)
    assert state(lone, clip) == "ready"


# what else happens meanwhile


def interrupted(
    lone: LoneCoordinator, common: PlayedWorker
) -> tuple[PlayedWorker, CallIdentity, CallIdentity]:
    """Return a worker that does a short film inside a long one, and both calls, the long one first."""
    film(lone, common, LONG_MS)
    speech = lone.worker("whisperx")
    long = running_at_a_border(lone, speech)
    film(lone, common, SHORT_MS)
    inside = called(lone, speech)
    speech.say(BEGUN, inside)
    lone.until(lambda: lone.members[speech.name].interrupted)
    return speech, long, inside


def back(lone: LoneCoordinator, speech: PlayedWorker, inside: CallIdentity, *others: CallIdentity) -> None:
    """Let the worker say hello with the call inside as the running one."""
    speech.say(dataclasses.replace(speech.hello, state="busy", busy_with=inside, unacknowledged=others))
    lone.until(lambda: speech.name in lone.members and lone.members[speech.name].call == inside)


def test_a_new_coordinator_lets_both_calls_go_on(lone: LoneCoordinator, common: PlayedWorker) -> None:
    speech, long, inside = interrupted(lone, common)
    lone.restart()
    back(lone, speech, inside, long)
    turns(lone)
    assert {step.identity for step in lone.store.running_steps()} == {long, inside}
    assert lone.members[speech.name].interrupted == [long]
    assert speech.heard(Cancel) is None
    speech.say(failure(1), inside)
    lone.until(lambda: lone.members[speech.name].call == long)


def test_an_outcome_on_its_way_is_not_taken_for_the_call_that_goes_on(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    speech, long, inside = interrupted(lone, common)
    lone.restart()
    ended = CallIdentity(job="job-x", step="asr", attempt=1, run="1")
    back(lone, speech, inside, ended, long)
    speech.say(failure(1), inside)
    lone.until(lambda: lone.members[speech.name].call == long)
    speech.say(failure(1), ended)
    lone.until(lambda: lone.members[speech.name].interrupted == [])
    assert lone.members[speech.name].call == long


def test_a_new_coordinator_stops_an_interrupted_call_that_was_cancelled(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    speech, long, inside = interrupted(lone, common)
    lone.ask(CancelJobs(jobs=(long.job,)))
    lone.until(lambda: speech.heard(Cancel))
    lone.restart()
    back(lone, speech, inside, long)
    stopped = lone.until(lambda: speech.heard(Cancel))
    assert stopped.job == long.job
    speech.say(failure(1), inside)
    lone.until(lambda: lone.members[speech.name].call == long)
    assert not lone.members[speech.name].free(), "it still has that call"


def test_the_folder_of_a_cancelled_film_stays_while_its_call_is_interrupted(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    speech, long, inside = interrupted(lone, common)
    lone.ask(CancelJobs(jobs=(long.job,)))
    prune = PruneJobs(states=("cancelled",), older_than_ms=0, dry_run=False)
    (before,) = lone.ask(prune)
    assert before.jobs == ()
    speech.say(failure(1), inside)
    speech.say(failure(1, ErrorInfo(kind=ErrorKind.CANCELLED, message="Cancelled.")), long)
    lone.until(lambda: long not in lone.members[speech.name].calls())
    (after,) = lone.ask(prune)
    assert after.jobs == (long.job,)


def test_nothing_waits_in_the_worker_behind_a_long_film_that_follows_a_quick_one(
    lone: LoneCoordinator, common: PlayedWorker
) -> None:
    speech = lone.worker("whisperx")
    film(lone, common, 1_000)
    quick = called(lone, speech)
    lone.ask(CancelJobs(jobs=(quick.job,)))
    speech.say(Result(result={}, artefacts=(), duration_ms=1), quick)
    lone.until(lambda: lone.members[speech.name].call is None)
    film(lone, common, LONG_MS)
    running_at_a_border(lone, speech)
    film(lone, common, LONG_MS)
    clip = film(lone, common, SHORT_MS)
    assert called(lone, speech).job == clip


def test_of_two_busy_workers_one_gets_the_short_film(lone: LoneCoordinator, common: PlayedWorker) -> None:
    workers = [lone.worker("whisperx", pid=_NO_PROCESS - number) for number in (1, 2)]
    for _ in workers:
        film(lone, common, LONG_MS)
    for worker in workers:
        running_at_a_border(lone, worker)
    clip, other = film(lone, common, SHORT_MS), film(lone, common, SHORT_MS)
    lone.until(lambda: all(member.ahead for member in lone.members.values() if member.call))
    assert {called(lone, worker).job for worker in workers} == {clip, other}
    assert [worker.heard(Call) for worker in workers] == [None, None]
