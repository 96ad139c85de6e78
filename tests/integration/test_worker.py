"""One worker process under a socket that the test holds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from protocol.errors import ErrorInfo, ErrorKind, WorkerExit
from protocol.frames import Header
from protocol.messages import (
    Ack,
    Cancel,
    Cores,
    Drain,
    Failure,
    Hello,
    Progress,
    Reject,
    Result,
    State,
    Welcome,
)
from protocol.stages.asr import AsrRequest
from tests.lone_worker import NOTHING, LoneWorker

pytestmark = pytest.mark.integration

ASR = "asr=tests.ill.engines:FakeAsr"
HEADER = Header(run="1", job="j", step="asr", attempt=1)


def ask(order: str) -> AsrRequest:
    return AsrRequest(audio=NOTHING, initial_prompt=order)


@pytest.mark.parametrize("order", ["loop", "hold-gil"])
def test_a_call_that_outlives_its_budget_ends_the_worker_with_its_stack_on_file(order: str) -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        prompt = f"{order}:{worker.folder / 'sign'}"
        worker.send(worker.call("asr", ask(prompt), budget_ms=300), HEADER)

        assert worker.process.wait(timeout=10) == WorkerExit.HUNG
        stack = worker.stack.read_text()
        assert stack.startswith("Timeout")
        assert "_misbehave" in stack


def test_a_segfault_leaves_its_stack_on_file() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask("segfault")), HEADER)
        assert worker.process.wait(timeout=10) == -11
        assert "_misbehave" in worker.stack.read_text()


def test_a_call_that_ends_in_time_is_not_ended_later() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask(""), budget_ms=1_000), HEADER)
        assert isinstance(worker.next(Result, Failure).message, Result)
        worker.send(Ack(), HEADER)
        worker.send(Drain(), Header(run="1"))
        assert worker.process.wait(timeout=10) == WorkerExit.DRAINED


def test_a_running_call_takes_the_cores_that_the_worker_is_told() -> None:
    with LoneWorker(ASR, options=("--threads", "4")) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask("threads:2")), HEADER)
        worker.next(Progress)
        worker.send(Cores(count=2), Header(run="1"))
        assert isinstance(worker.next(Result, Failure).message, Result)


def test_a_request_that_is_not_of_the_stage_is_refused_by_its_path() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        call = worker.call("asr", {"audio": {"path": "x", "size": "big", "sha256": ""}})
        worker.send(call, HEADER)
        failure = worker.next(Failure).message
        assert failure.error.kind is ErrorKind.WIRE
        assert failure.error.message.startswith("AsrRequest.audio.size")


def test_a_rejected_worker_exits_with_the_code_that_says_so() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(Reject(reason=ErrorInfo(kind=ErrorKind.WIRE, message="Too old.")), Header(run="1"))
        assert worker.process.wait(timeout=10) == WorkerExit.OUTDATED


def test_an_unacknowledged_result_is_said_again_when_the_coordinator_is_back() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask("")), HEADER)
        worker.next(Result)
        worker.renew_link()
        hello = worker.next(Hello).message
        assert [call.step for call in hello.unacknowledged] == ["asr"]
        worker.send(Welcome(), Header(run="2"))
        again = worker.next(Result)
        assert (again.header.run, again.header.attempt) == ("1", 1)


@pytest.mark.parametrize("order", ["surrogates", "verbose", "unsendable", "huge"])
def test_an_outcome_that_could_not_travel_fails_its_call_and_not_its_worker(order: str) -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask(order)), HEADER)
        worker.next(Failure)
        worker.send(Ack(), HEADER)
        again = Header(run="1", job="j", step="asr", attempt=2)
        worker.send(worker.call("asr", ask("progress-of-another-type")), again)
        assert isinstance(worker.next(Result, Failure).message, Result)


def test_a_call_without_a_budget_is_refused_and_the_worker_lives() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask(""), budget_ms=0), HEADER)
        worker.next(Failure)


def test_an_outcome_whose_acknowledgement_was_lost_is_said_again() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        worker.send(worker.call("asr", ask("")), HEADER)
        assert worker.next(Result) == worker.next(Result)


def test_a_cancel_that_comes_right_behind_its_call_is_not_lost() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        for attempt in range(20):
            header = Header(run="1", job="j", step="asr", attempt=attempt)
            worker.send(worker.call("asr", ask(f"until:{worker.folder / 'never'}")), header)
            worker.send(Cancel(), header)
            failure = worker.next(Failure).message
            assert failure.error.kind is ErrorKind.CANCELLED
            worker.send(Ack(), header)


# a call inside another


def named(job: str, attempt: int = 1) -> Header:
    return Header(run="1", job=job, step="asr", attempt=attempt)


def hold(worker: LoneWorker, release: Path, budget_ms: int = 60_000) -> Header:
    """Begin a call that goes on until `release` is there; return its header when it is at a border."""
    worker.send(worker.call("asr", ask(f"until:{release}"), budget_ms), named("long"))
    while not worker.next(Progress).message.interruptible:
        pass
    return named("long")


def send_inside(worker: LoneWorker, header: Header, order: str = "", budget_ms: int = 60_000) -> None:
    """Send a call to be done inside the running one."""
    call = worker.call("asr", ask(order), budget_ms)
    scratch = f".scratch/{header.job}-{header.attempt}"
    worker.send(dataclasses.replace(call, inside=True, scratch=scratch), header)


def begun(worker: LoneWorker, header: Header) -> None:
    """Wait until the worker says that it does this call."""
    while worker.next(Progress).header.job != header.job:
        pass


def test_an_interrupted_call_ends_after_the_one_inside_whose_time_is_not_its_own() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        outer, inner = worker.folder / "outer", worker.folder / "inner"
        long, short = hold(worker, outer, budget_ms=3_000), named("short")
        send_inside(worker, short, f"until:{inner}", budget_ms=60_000)
        begun(worker, short)
        for _ in range(8):
            worker.next(State)  # twice a second
        inner.touch()
        ended = worker.next(Result)
        outer.touch()
        last = worker.next(Result)
        assert (ended.header.job, last.header.job) == (short.job, long.job)
        assert last.message.duration_ms < 3_000 < ended.message.duration_ms


def test_a_call_inside_that_outlives_its_budget_ends_the_worker() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        hold(worker, worker.folder / "never")
        send_inside(worker, named("short"), "loop", budget_ms=300)
        assert worker.process.wait(timeout=10) == WorkerExit.HUNG
        assert worker.stack.read_text().startswith("Timeout")


def test_a_cancel_that_comes_right_behind_a_call_inside_is_not_lost() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        release = worker.folder / "release"
        hold(worker, release)
        for attempt in range(20):
            header = named("short", attempt)
            send_inside(worker, header, f"until:{worker.folder / 'never'}")
            if attempt % 2:
                begun(worker, header)
            worker.send(Cancel(), header)
            failure = worker.next(Failure)
            assert (failure.header.attempt, failure.message.error.kind) == (attempt, ErrorKind.CANCELLED)
            worker.send(Ack(), header)
        release.touch()
        assert worker.next(Result, Failure).header.job == "long"


def test_many_calls_inside_end_one_by_one_and_each_once() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        release = worker.folder / "release"
        hold(worker, release)
        for attempt in range(20):
            for _ in range(2):
                send_inside(worker, named("short", attempt))
        assert [worker.next(Result).header.attempt for _ in range(20)] == list(range(20))
        release.touch()
        worker.send(Ack(), named("short", 0))
        while (ended := worker.next(Result).header).job != "long":
            assert ended.attempt in range(1, 20), "said again, as it was not acknowledged"
        assert worker.log.read_text().count(" begins, attempt") == 21


def test_a_worker_that_is_back_names_both_calls_and_has_forgotten_the_one_that_waits() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        outer, inner = worker.folder / "outer", worker.folder / "inner"
        hold(worker, outer)
        send_inside(worker, named("short"), f"until:{inner}")
        begun(worker, named("short"))
        worker.send(worker.call("asr", ask("")), named("waits"))
        worker.next(State)
        worker.renew_link()
        hello = worker.next(Hello).message
        assert hello.busy_with is not None
        assert (hello.busy_with.job, [call.job for call in hello.unacknowledged]) == ("short", ["long"])
        worker.send(Welcome(), Header(run="2"))
        inner.touch()
        outer.touch()
        assert [worker.next(Result).header.job for _ in range(2)] == ["short", "long"]
        for header in (named("short"), named("long")):
            worker.send(Ack(), header)
        worker.send(Drain(), Header(run="2"))
        assert worker.process.wait(timeout=10) == WorkerExit.DRAINED


def test_a_draining_worker_ends_both_calls() -> None:
    with LoneWorker(ASR) as worker:
        worker.wait_ready()
        outer, inner = worker.folder / "outer", worker.folder / "inner"
        hold(worker, outer)
        send_inside(worker, named("short"), f"until:{inner}")
        begun(worker, named("short"))
        worker.send(Drain(), Header(run="1"))
        inner.touch()
        worker.next(Result)
        outer.touch()
        worker.next(Result)
        for header in (named("short"), named("long")):
            worker.send(Ack(), header)
        assert worker.process.wait(timeout=10) == WorkerExit.DRAINED
