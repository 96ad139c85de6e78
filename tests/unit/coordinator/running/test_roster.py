"""What the coordinator knows of a worker's calls: one that runs, those it interrupted, one ahead."""

from __future__ import annotations

from coordinator.running.roster import DEPTH, QUICK_MS, Member
from protocol.errors import ErrorInfo, ErrorKind
from protocol.messages import CallIdentity, Failure, Progress, Result

BORDER = Progress(fraction=0.5, interruptible=True)
BEGUN = Progress(fraction=0.0)
SLOW = Result(result={}, artefacts=(), duration_ms=5_000)
QUICK = Result(result={}, artefacts=(), duration_ms=QUICK_MS - 1)
FAILED = Failure(error=ErrorInfo(kind=ErrorKind.INPUT, message="It is no film."), duration_ms=7_000)


def call(job: str) -> CallIdentity:
    return CallIdentity(job=job, step="asr", attempt=1, run="1")


LONG, MIDDLE, SHORT = call("long"), call("middle"), call("short")


def worker() -> Member:
    return Member(
        name="w", environment="e", pid=1, pulse="p", stages={}, started_at="", met_s=0.0, met_at="",
        ready_by_s=0.0, echoed_s=0.0, state="ready",
    )  # fmt: skip


def inside(member: Member, *calls: CallIdentity) -> Member:
    """Have the worker do each of the calls inside the one before."""
    for identity in calls:
        member.take(identity)
        member.hear(identity, BEGUN)
        member.hear(identity, BORDER)
    return member


def test_a_worker_takes_a_call_inside_once_the_running_one_has_said_so() -> None:
    member = worker()
    assert not member.may_have_inside()
    member.take(LONG)
    assert not member.may_have_inside()
    member.hear(LONG, BEGUN)
    assert not member.may_have_inside()
    member.hear(LONG, BORDER)
    assert member.may_have_inside()


def test_a_worker_that_leaves_or_drains_takes_none() -> None:
    member = inside(worker(), LONG)
    member.leaving = True
    assert not member.may_have_inside()
    member = inside(worker(), LONG)
    member.state = "draining"
    assert not member.may_have_inside()


def test_it_takes_one_at_a_time_and_not_more_than_it_can_keep() -> None:
    member = inside(worker(), LONG)
    member.take(SHORT)
    assert not member.may_have_inside()
    member = inside(worker(), *(call(f"job-{number}") for number in range(DEPTH)))
    assert member.may_have_inside()
    assert not inside(member, SHORT).may_have_inside()


def test_the_first_word_of_the_call_inside_says_which_one_is_interrupted() -> None:
    member = inside(worker(), LONG)
    member.take(SHORT)
    assert (member.call, member.ahead) == (LONG, SHORT)
    assert member.hear(SHORT, BEGUN)
    assert (member.call, member.ahead, member.interrupted) == (SHORT, None, [LONG])
    assert not member.interruptible
    assert not member.hear(LONG, BORDER)
    assert not member.interruptible


def test_the_interrupted_call_goes_on_and_can_be_interrupted_again() -> None:
    member = inside(worker(), LONG, MIDDLE, SHORT)
    member.release(SHORT, SLOW)
    assert (member.call, member.interrupted, member.state) == (MIDDLE, [LONG], "busy")
    assert member.may_have_inside()
    member.release(MIDDLE, SLOW)
    member.release(LONG, SLOW)
    assert (member.call, member.interrupted, member.state) == (None, [], "ready")
    assert not member.may_have_inside()


def test_a_call_that_was_not_taken_inside_begins_after_the_running_one() -> None:
    member = inside(worker(), LONG)
    member.take(SHORT)
    member.release(LONG, SLOW)
    assert (member.call, member.ahead, member.state) == (SHORT, None, "busy")
    assert not member.interruptible, "that was said of the other one"


def test_a_call_inside_that_never_reached_the_worker_leaves_the_running_one() -> None:
    member = inside(worker(), LONG)
    member.take(SHORT)
    member.release(SHORT)
    assert (member.call, member.ahead, member.inside_ms.get(LONG, 0)) == (LONG, None, 0)


def test_the_time_of_calls_inside_counts_for_each_call_that_waited_for_them() -> None:
    member = inside(worker(), LONG, MIDDLE, SHORT)
    member.release(SHORT, SLOW)
    assert (member.inside_ms[MIDDLE], member.inside_ms.get(LONG, 0)) == (5_000, 0)
    member.release(MIDDLE, FAILED)
    assert member.inside_ms[LONG] == 12_000
    inside(member, SHORT)
    assert member.inside_ms.get(SHORT, 0) == 0
    member.release(SHORT, SLOW)
    assert member.inside_ms[LONG] == 17_000
    member.release(LONG, SLOW)
    assert (member.inside_ms, member.work) == ({}, {})


def test_a_call_is_ahead_only_behind_one_that_is_as_little_work_as_quick_ones_were() -> None:
    member = worker()
    member.take(LONG, work=1_000)
    member.release(LONG, QUICK)
    assert member.may_have_ahead()
    member.take(LONG, work=3_000)
    assert member.may_have_ahead()
    member.release(LONG, QUICK)
    member.take(LONG, work=1_000_000)
    assert not member.may_have_ahead()
    member.release(LONG, QUICK)
    member.take(LONG, work=1_000_000)
    assert member.may_have_ahead()
    member.release(LONG, SLOW)
    member.take(LONG, work=1)
    assert not member.may_have_ahead()


def test_nothing_is_ahead_behind_an_interrupted_call() -> None:
    member = worker()
    member.take(LONG)
    member.release(LONG, QUICK)
    assert member.may_have_ahead()
    assert not inside(member, LONG, SHORT).may_have_ahead()


def test_its_calls_begin_with_the_one_that_ends_last() -> None:
    member = inside(worker(), LONG, MIDDLE)
    member.take(SHORT)
    assert member.calls() == [LONG, MIDDLE, SHORT]
    assert worker().calls() == []
