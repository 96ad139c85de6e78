"""The worker's states, without a socket."""

from __future__ import annotations

import dataclasses

from protocol.errors import ErrorInfo, ErrorKind
from protocol.messages import (
    Ack,
    Call,
    CallIdentity,
    Cancel,
    Drain,
    Hello,
    Progress,
    Reject,
    Result,
    State,
    Unload,
    Welcome,
)
from workers.phases import Begin, CancelCall, ClearShelf, Exit, Phases, Send

ONE = CallIdentity(job="j", step="asr", attempt=1, run="1")
TWO = CallIdentity(job="j", step="align", attempt=1, run="1")
THREE, FOUR = (CallIdentity(job=job, step="asr", attempt=1, run="1") for job in ("three", "four"))
CALL = Call(
    stage="asr", schema_version=1, job_directory="/j", scratch="s", folder="f", budget_ms=1, request={}
)
INSIDE = dataclasses.replace(CALL, inside=True)
RESULT = Result(result={}, artefacts=(), duration_ms=1)


def ready() -> Phases:
    phases = Phases(Hello(worker="w", environment="e", pid=1, pulse="p", state="importing"))
    phases.on_loaded("loading")
    phases.on_loaded("ready")
    return phases


def test_hello_says_the_state_of_the_moment() -> None:
    phases = Phases(Hello(worker="w", environment="e", pid=1, pulse="p", state="importing"))
    phases.on_loaded("loading")
    (send,) = phases.on_connected()
    assert isinstance(send, Send)
    assert send.message.state == "loading"


def test_a_call_is_begun_and_said_to_be() -> None:
    phases = ready()
    assert phases.on_message(CALL, ONE) == [Send(State(state="busy")), Begin(ONE, CALL)]


def test_a_call_that_comes_before_the_models_are_loaded_waits_for_them() -> None:
    phases = Phases(Hello(worker="w", environment="e", pid=1, pulse="p", state="importing"))
    assert phases.on_message(CALL, ONE) == []
    assert Begin(ONE, CALL) in phases.on_loaded("ready")


def test_a_second_call_waits_for_the_first() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    assert phases.on_message(CALL, TWO) == []
    assert Begin(TWO, CALL) in phases.on_outcome(ONE, RESULT)


def test_the_same_call_twice_is_one_call() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    assert phases.on_message(CALL, ONE) == []
    phases.on_outcome(ONE, RESULT)
    assert phases.on_message(CALL, ONE) == [Send(RESULT, ONE)]


def test_an_outcome_is_said_again_on_every_connection_until_it_is_acknowledged() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_outcome(ONE, RESULT)
    (hello,) = phases.on_connected()
    assert isinstance(hello, Send)
    assert hello.message.unacknowledged == (ONE,)
    assert phases.on_message(Welcome(), ONE) == [Send(RESULT, ONE)]
    phases.on_message(Ack(), ONE)
    assert phases.on_message(Welcome(), ONE) == []


def test_hello_names_the_running_call() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    (hello,) = phases.on_connected()
    assert isinstance(hello, Send)
    assert hello.message.busy_with == ONE


def test_a_cancel_reaches_the_running_call_and_drops_a_waiting_one() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(CALL, TWO)
    assert phases.on_message(Cancel(), ONE) == [CancelCall(ONE)]
    (said,) = phases.on_message(Cancel(), TWO)
    assert isinstance(said, Send)
    assert said.identity == TWO
    assert said.message.error.kind is ErrorKind.CANCELLED
    assert not any(isinstance(command, Begin) for command in phases.on_outcome(ONE, RESULT))


def test_models_are_unloaded_between_two_calls() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    assert phases.on_message(Unload(), ONE) == [ClearShelf()]
    assert phases.on_message(Unload(keys=("a", "b")), ONE) == [ClearShelf(("a", "b"))]


def test_a_worn_out_worker_says_its_result_and_leaves_to_be_started_anew() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(CALL, TWO)
    assert phases.on_worn_out() == [Send(State(state="draining"))]
    assert phases.on_outcome(ONE, RESULT) == [Send(RESULT, ONE)]
    assert phases.on_message(CALL, TWO) == [], "the next worker does it"
    assert phases.on_message(Ack(), ONE) == [Exit(recycled=True)]


def test_progress_of_a_call_that_has_ended_is_not_passed_on() -> None:
    assert ready().on_progress(ONE, Progress(fraction=0.1)) == []


def test_a_draining_worker_finishes_says_its_result_and_leaves_when_it_is_acknowledged() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(CALL, TWO)
    assert phases.on_message(Drain(), ONE) == [Send(State(state="draining"))]
    assert Send(RESULT, ONE) in phases.on_outcome(ONE, RESULT)
    assert phases.on_message(Ack(), ONE) == [Exit()]


def test_a_draining_worker_with_nothing_to_do_leaves_at_once() -> None:
    assert ready().on_message(Drain(), ONE) == [Send(State(state="draining")), Exit()]


def test_a_worker_told_to_drain_while_it_loads_leaves_when_it_has_loaded() -> None:
    phases = Phases(Hello(worker="w", environment="e", pid=1, pulse="p", state="importing"))
    assert Exit() in phases.on_message(Drain(), ONE)


def test_a_rejected_worker_leaves_with_the_reason() -> None:
    reason = ErrorInfo(kind=ErrorKind.WIRE, message="Too old.", remedy="build")
    assert ready().on_message(Reject(reason=reason), ONE) == [Exit("Too old. build")]


def test_a_call_that_was_not_begun_is_forgotten_with_its_connection() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(CALL, TWO)
    phases.on_connected()
    assert Begin(TWO, CALL) not in phases.on_outcome(ONE, RESULT)


# a call inside another


def inside() -> Phases:
    """Return a worker that does TWO inside ONE."""
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(INSIDE, TWO)
    assert phases.at_border() == Begin(TWO, INSIDE)
    return phases


def test_a_call_inside_waits_for_a_border_of_the_running_one() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    assert not phases.has_inside()
    assert phases.on_message(INSIDE, TWO) == []
    assert phases.has_inside()
    assert phases.at_border() == Begin(TWO, INSIDE)
    assert not phases.has_inside()
    assert phases.at_border() is None


def test_a_call_that_is_not_to_be_inside_stays_behind_the_running_one() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(CALL, THREE)
    assert phases.at_border() is None
    phases.on_message(INSIDE, TWO)
    assert phases.at_border() == Begin(TWO, INSIDE)
    phases.on_outcome(TWO, RESULT)
    assert Begin(THREE, CALL) in phases.on_outcome(ONE, RESULT)


def test_a_call_inside_begins_at_once_where_nothing_runs_and_next_where_nobody_takes_it() -> None:
    assert Begin(TWO, INSIDE) in ready().on_message(INSIDE, TWO)
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(INSIDE, TWO)
    assert Begin(TWO, INSIDE) in phases.on_outcome(ONE, RESULT)
    assert not phases.has_inside()


def test_the_interrupted_call_goes_on_after_the_one_inside_and_the_worker_stays_busy() -> None:
    phases = inside()
    progress = Progress(fraction=0.5)
    assert phases.on_progress(ONE, progress) == []
    assert phases.on_progress(TWO, progress) == [Send(progress, TWO)]
    assert phases.on_outcome(TWO, RESULT) == [Send(RESULT, TWO)]
    assert phases.on_progress(ONE, progress) == [Send(progress, ONE)]
    assert phases.on_outcome(ONE, RESULT) == [Send(RESULT, ONE), Send(State(state="ready"))]


def test_the_same_call_twice_is_one_call_inside_too() -> None:
    phases = ready()
    phases.on_message(CALL, ONE)
    phases.on_message(INSIDE, TWO)
    assert phases.on_message(INSIDE, TWO) == []
    phases.at_border()
    assert phases.on_message(INSIDE, TWO) == []
    assert phases.on_message(CALL, ONE) == []
    assert not phases.has_inside()
    phases.on_outcome(TWO, RESULT)
    assert phases.on_message(INSIDE, TWO) == [Send(RESULT, TWO)]


def test_hello_names_the_interrupted_calls_after_the_outcomes_the_outermost_first() -> None:
    phases = inside()
    phases.on_message(INSIDE, THREE)
    phases.at_border()
    phases.on_outcome(THREE, RESULT)
    phases.on_message(INSIDE, FOUR)
    phases.at_border()
    (hello,) = phases.on_connected()
    assert isinstance(hello, Send)
    assert hello.message.busy_with == FOUR
    assert hello.message.unacknowledged == (THREE, ONE, TWO)


def test_a_cancel_reaches_the_interrupted_call_and_the_one_inside() -> None:
    phases = inside()
    assert phases.on_message(Cancel(), ONE) == [CancelCall(ONE)]
    assert phases.on_message(Cancel(), TWO) == [CancelCall(TWO)]


def test_a_call_that_was_cancelled_drained_or_lost_with_the_connection_is_not_done_inside() -> None:
    for event in (
        lambda phases: phases.on_message(Cancel(), TWO),
        lambda phases: phases.on_message(Drain(), ONE),
        lambda phases: phases.on_connected(),
        lambda phases: phases.on_worn_out(),
    ):
        phases = ready()
        phases.on_message(CALL, ONE)
        phases.on_message(INSIDE, TWO)
        event(phases)
        assert not phases.has_inside()
        assert phases.at_border() is None


def test_a_draining_worker_ends_the_interrupted_call_too() -> None:
    phases = inside()
    assert phases.on_message(Drain(), ONE) == [Send(State(state="draining"))]
    assert phases.on_outcome(TWO, RESULT) == [Send(RESULT, TWO)]
    assert phases.on_message(Ack(), TWO) == []
    assert phases.on_outcome(ONE, RESULT) == [Send(RESULT, ONE)]
    assert phases.on_message(Ack(), ONE) == [Exit()]


def test_a_worker_that_is_worn_out_by_the_call_inside_ends_the_interrupted_call_first() -> None:
    phases = inside()
    phases.on_worn_out()
    assert phases.on_outcome(TWO, RESULT) == [Send(RESULT, TWO)]
    assert phases.on_message(Ack(), TWO) == []
    phases.on_outcome(ONE, RESULT)
    assert phases.on_message(Ack(), ONE) == [Exit(recycled=True)]
