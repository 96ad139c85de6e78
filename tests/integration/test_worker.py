"""One worker process under a socket that the test holds."""

from __future__ import annotations

import pytest

from protocol.errors import ErrorInfo, ErrorKind, WorkerExit
from protocol.frames import Header
from protocol.hardware import Cores
from protocol.messages import Ack, Cancel, Drain, Failure, Hello, Progress, Reject, Result, Welcome
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
