"""The calls of a node's workers whose files are being fetched or sent, on threads of their own."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol, TypeVar

from protocol.errors import CpwError, ErrorInfo, ErrorKind, info_from_error
from protocol.messages import Call, CallIdentity, Failure, Result

__all__ = ["Files", "Work"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_AT_A_TIME = 4


class Files(Protocol):
    """What brings a call's files to the node, and its results to the head; `cluster/files` has it.

    The methods block, may be called on several threads, and raise `CpwError`.
    """

    def prepare(self, identity: CallIdentity, call: Call) -> Call:
        """Return the call as this node can do it; its files are there then."""

    def publish(self, identity: CallIdentity, call: Call | None, result: Result) -> Result:
        """Bring the result's files to the head; `call` as `prepare` returned it, None after a restart."""

    def keeps(self, identity: CallIdentity) -> bool:
        """Return whether the call's files lie on this node's own disk."""

    def send_log(self, identity: CallIdentity) -> None:
        """Bring the log of a call that failed to the head."""

    def forget(self, identity: CallIdentity) -> None:
        """The call is over: what it kept on this node may go."""

    def fetch_model(self, model: str) -> None:
        """Fetch a model from the head into this node's store."""


class Work:
    """Has files fetched and sent. All methods are called by the relay's thread.

    `soon` has something done on that thread, and is called on others.
    """

    def __init__(self, files: Files, soon: Callable[[Callable[[], None]], None]) -> None:
        self._files = files
        self._soon = soon
        self._pool = ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="files")
        self._calls: dict[CallIdentity, Call] = {}
        self._preparing: set[CallIdentity] = set()
        self._publishing: set[CallIdentity] = set()
        self._fetching: set[str] = set()

    def _start(self, do: Callable[[], _T], end: Callable[[_T | ErrorInfo], None]) -> None:
        """Do something that takes long; its answer or error comes to `end` on the relay's thread."""

        def run() -> None:
            found: _T | ErrorInfo
            try:
                found = do()
            except (CpwError, OSError) as error:
                found = info_from_error(error)
            # Otherwise the call would never end: the worker knows nothing of it.
            except Exception as error:
                log.exception("an error that nobody expected")
                found = info_from_error(error)
            self._soon(lambda: end(found))

        self._pool.submit(run)

    def prepare(self, identity: CallIdentity, call: Call, then: Callable[[Call | Failure], None]) -> None:
        """Fetch what the call needs, and go on with it; nothing where it was cancelled meanwhile."""
        if identity in self._preparing:
            return
        self._preparing.add(identity)

        def end(found: Call | ErrorInfo) -> None:
            if identity not in self._preparing:
                return
            self._preparing.discard(identity)
            if isinstance(found, Call):
                self._calls[identity] = found
            then(_elsewhere(_outcome(found)))

        self._start(lambda: self._files.prepare(identity, call), end)

    def cancel(self, identity: CallIdentity) -> Failure | None:
        """Return the failure of a call that its worker does not know yet, None where it knows it."""
        if identity not in self._preparing:
            return None
        self._preparing.discard(identity)
        error = ErrorInfo(kind=ErrorKind.CANCELLED, message="The job was cancelled.")
        return Failure(error=error, duration_ms=0)

    def publish(
        self,
        identity: CallIdentity,
        outcome: Result | Failure,
        then: Callable[[Result | Failure | None, str], None],
    ) -> None:
        """Send an outcome's files, and go on with it; nothing where that is under way already.

        Where the head's server cannot be reached, `then` is told None and a sentence: the worker keeps the
        outcome, and sends it again until it is acknowledged.
        """
        if identity in self._publishing:
            return
        self._publishing.add(identity)
        call = self._calls.get(identity)

        def send() -> Result | Failure:
            if isinstance(outcome, Result):
                return self._files.publish(identity, call, outcome)
            self._files.send_log(identity)
            return _elsewhere(outcome) if self._files.keeps(identity) else outcome

        def end(found: Result | Failure | ErrorInfo) -> None:
            self._publishing.discard(identity)
            if not isinstance(found, ErrorInfo):
                then(found, "")
            elif found.kind is ErrorKind.TRANSIENT:
                then(None, f"What is done here cannot be sent to the head: {found.message}")
            else:
                then(outcome if isinstance(outcome, Failure) else _outcome(found), "")

        self._start(send, end)

    def forget(self, identity: CallIdentity) -> None:
        """The coordinator has taken in the outcome, or does not want it."""
        self._calls.pop(identity, None)
        self._start(lambda: self._files.forget(identity), lambda _: None)

    def fetch_model(self, model: str, then: Callable[[str, str], None]) -> None:
        """Fetch a model; `then` is told the model, and a sentence where that failed, else an empty one."""
        if model in self._fetching:
            return
        self._fetching.add(model)

        def end(error: ErrorInfo | None) -> None:
            self._fetching.discard(model)
            problem = f"The model {model} cannot be fetched: {error.message}" if error is not None else ""
            then(model, problem)

        self._start(lambda: self._files.fetch_model(model), end)

    def drop_unbegun(self) -> None:
        """Forget the calls that no worker has yet: the coordinator gives them out again."""
        self._preparing.clear()

    def close(self) -> None:
        """Begin nothing more."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def _elsewhere(found: _T | Failure) -> _T | Failure:
    """Return the outcome; a full disk of this node as an error after which another machine may do better.

    As it stands it would hold the job, as the full disk of the head does.
    """
    if not isinstance(found, Failure) or found.error.kind is not ErrorKind.DISK_FULL:
        return found
    return replace(found, error=replace(found.error, kind=ErrorKind.TRANSIENT))


def _outcome(found: _T | ErrorInfo) -> _T | Failure:
    return Failure(error=found, duration_ms=0) if isinstance(found, ErrorInfo) else found
