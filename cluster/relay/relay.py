"""Moves messages between a node's workers and the head's coordinator.

A session is as long as the way to the coordinator is open. With each session the node says hello; when it is
welcomed, its workers can connect, and say hello with what they run and what they hold. When the session ends,
their connections end too: to them it is a coordinator that was restarted, and nothing that they have done is
lost.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol

from cluster.relay.checks import Checks
from cluster.relay.facts import NodeFacts
from cluster.relay.logs import read_log
from cluster.relay.sockets import Left, WorkerSocket
from cluster.relay.work import Files, Work
from protocol.cluster.logs import LogQuery, LogReport
from protocol.cluster.messages import (
    Door,
    NodeAgain,
    NodeBeat,
    NodeCommand,
    NodeHello,
    NodeState,
    NodeWelcome,
    OfferModels,
    WorkerGone,
)
from protocol.cluster.names import local_id, worker_of
from protocol.errors import WireError
from protocol.frames import Header, decode_message, encode
from protocol.messages import MESSAGES, Ack, Call, CallIdentity, Cancel, Failure, Hello, Reject, Result
from protocol.supervisor import control_file

__all__ = ["BEAT_S", "FACTS_EVERY_S", "HELLO_AGAIN_S", "Relay", "Upstream"]

log = logging.getLogger(__name__)

BEAT_S = 1.0
HELLO_AGAIN_S = 2.0
_REFUSED_REST_S = 10.0
"""A node that the head refuses says hello again after this long: it may have been mended."""
FACTS_EVERY_S = 5.0
_PULSE = b"/pulse"
_OUTCOMES = frozenset({b"Result", b"Failure"})
_SENDING = "sending"
_READ_DOWN = frozenset({b"Call", b"Cancel", b"Ack"})
"""Messages to workers that the relay reads; all others pass unread."""


class Upstream(Protocol):
    """The way to the coordinator: a connection of its own (`Cable`), or calls of Ray's."""

    def send(self, frames: list[bytes]) -> None:
        """Send to the coordinator; lost without a word where there is no way."""


class Relay:
    """A thread of its own does all of it; the public methods may be called on any thread.

    `use_door` is told where files are fetched, and which folders are shared, before a worker can connect.
    """

    def __init__(
        self,
        facts: NodeFacts,
        files: Files,
        upstream: Upstream,
        checks: Checks,
        use_door: Callable[[Door, tuple[str, ...]], None],
    ) -> None:
        self._facts = facts
        self._upstream = upstream
        self._checks = checks
        self._use_door = use_door
        self._inbox: deque[Callable[[], None]] = deque()
        self._socket = WorkerSocket(facts.runtime)
        self._work = Work(files, self._soon)
        self._workers: dict[str, int] = {}
        self._state: NodeState | None = None
        self._hello: NodeHello | None = None
        """As it was said in this session: said again it is the same, and so are its checks of shares."""
        self._run = ""
        self._in_session = self._closed = False
        self._beat_s = self._hello_s = self._looked_s = 0.0
        self._problems: dict[str, str] = {}
        self._thread = threading.Thread(target=self._serve, name="relay", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def begin_session(self) -> None:
        """The way to the coordinator is open; one that was open before has ended."""
        self._soon(self._begin)

    def end_session(self) -> None:
        """There is no way to the coordinator."""
        self._soon(self._end)

    def deliver(self, frames: list[bytes]) -> None:
        """Take in what the coordinator has sent: the worker's name there, or nothing, and the message."""
        self._soon(lambda: self._on_frames(frames))

    def close(self) -> None:
        """End the session and the thread."""
        self._soon(self._close)
        self._thread.join()

    def _soon(self, act: Callable[[], None]) -> None:
        self._inbox.append(act)
        self._socket.wake()

    # the relay's thread

    def _serve(self) -> None:
        while not self._closed:
            for frames in self._socket.wait(round(BEAT_S * 1000)):
                self._on_worker(frames)
            while self._inbox:
                self._inbox.popleft()()
            self._look(time.monotonic())
        self._work.close()
        self._socket.close()

    def _close(self) -> None:
        self._end()
        self._closed = True

    def _begin(self) -> None:
        self._end()
        self._in_session = True
        self._hello = None
        self._say_hello(time.monotonic())

    def _end(self) -> None:
        self._in_session = False
        self._socket.shut()
        self._workers.clear()
        self._work.drop_unbegun()
        self._state = None
        self._checks.remove()

    def _say_hello(self, now_s: float) -> None:
        self._hello_s = now_s
        if self._hello is None:
            self._hello = self._facts.hello(self._checks.make())
        self._say(self._hello)

    def _look(self, now_s: float) -> None:
        if not self._in_session or now_s - self._beat_s < BEAT_S:
            return
        self._beat_s = now_s
        if not self._socket.is_open():
            if now_s - self._hello_s > HELLO_AGAIN_S:
                self._say_hello(now_s)
        elif not self._say_state(now_s, at_once=self._begins_to_leave()):
            self._say(NodeBeat())

    def _begins_to_leave(self) -> bool:
        """Return whether the supervisor is stopping and the coordinator does not know it."""
        return self._state is not None and not self._state.leaves and self._facts.is_leaving()

    def _say_state(self, now_s: float, *, at_once: bool) -> bool:
        """Send how the node is if that has changed, and tell whether it was sent."""
        if not at_once and self._state is not None and now_s - self._looked_s < FACTS_EVERY_S:
            return False
        self._looked_s = now_s
        state = self._facts.state(self._workers, self._problems.values())
        if state == self._state:
            return False
        self._state = state
        self._say(state)
        return True

    def _say(self, message: Any, request: str = "") -> None:
        header = Header(run=self._run, request=request)
        self._upstream.send([b"", *encode(type(message).__name__, header, message)])

    def _send_up(self, worker: str, identity: CallIdentity, message: Any) -> None:
        header = Header(run=identity.run, job=identity.job, step=identity.step, attempt=identity.attempt)
        peer = worker_of(worker, self._facts.node).encode()
        self._upstream.send([peer, *encode(type(message).__name__, header, message)])

    # what workers say

    def _on_worker(self, frames: list[bytes]) -> None:
        peer, *rest = frames
        worker = peer.decode("ascii", "replace")
        if len(rest) == 5 and not peer.endswith(_PULSE):
            if rest[2] == b"Hello":
                rest = self._introduced(worker, rest)
            elif rest[2] in _OUTCOMES:
                self._on_outcome(worker, rest)
                return
        self._upstream.send([worker_of(worker, self._facts.node).encode(), *rest])

    def _introduced(self, worker: str, frames: list[bytes]) -> list[bytes]:
        """Return a worker's hello with its names as they are at the head."""
        try:
            header, hello = decode_message(frames, MESSAGES)
        except WireError:
            return frames  # the coordinator refuses it, and says why
        assert isinstance(hello, Hello)
        self._workers[worker] = hello.pid
        # Before its hello: a call is only lost with a worker that the coordinator knows to have died.
        self._say_state(time.monotonic(), at_once=True)
        node = self._facts.node
        hello = replace(hello, worker=worker_of(hello.worker, node), pulse=worker_of(hello.pulse, node))
        return encode("Hello", header, hello)

    def _on_outcome(self, worker: str, frames: list[bytes]) -> None:
        try:
            header, outcome = decode_message(frames, MESSAGES)
        except WireError:
            self._upstream.send([worker_of(worker, self._facts.node).encode(), *frames])
            return
        assert isinstance(outcome, Result | Failure)
        identity = CallIdentity(job=header.job, step=header.step, attempt=header.attempt, run=header.run)

        def pass_on(found: Result | Failure | None, problem: str) -> None:
            self._problems.pop(_SENDING, None)
            if problem:
                log.warning("%s", problem)
                self._problems[_SENDING] = problem
            if found is not None:
                self._send_up(worker, identity, found)

        self._work.publish(identity, outcome, pass_on)

    # what the coordinator says

    def _on_frames(self, frames: list[bytes]) -> None:
        peer, *rest = frames
        if not self._in_session:
            return
        if not peer:
            self._on_own(rest)
            return
        worker = local_id(peer.decode("ascii", "replace"))
        if len(rest) == 5 and rest[2] in _READ_DOWN and self._read(worker, rest):
            return
        self._give(worker, rest)

    def _give(self, worker: str, frames: list[bytes]) -> None:
        try:
            self._socket.send([worker.encode(), *frames])
        except Left:
            gone = worker.removesuffix(_PULSE.decode())
            self._say_state(time.monotonic(), at_once=True)
            self._say(WorkerGone(worker=gone))

    def _read(self, worker: str, frames: list[bytes]) -> bool:
        """Do what the relay has to do about a message to a worker; tell whether it goes no further."""
        try:
            header, message = decode_message(frames, MESSAGES)
        except WireError:
            return False
        identity = CallIdentity(job=header.job, step=header.step, attempt=header.attempt, run=header.run)

        def go_on(found: Call | Failure) -> None:
            if isinstance(found, Call):
                self._give(worker, encode("Call", header, found))
            else:
                self._send_up(worker, identity, found)

        match message:
            case Call():
                self._work.prepare(identity, message, go_on)
                return True
            case Cancel():
                if (failure := self._work.cancel(identity)) is not None:
                    go_on(failure)
                    return True
            case Ack():
                self._work.forget(identity)
        return False

    def _on_own(self, frames: list[bytes]) -> None:
        try:
            header, message = decode_message(frames, MESSAGES)
        except WireError as error:
            log.warning("refused a message of the coordinator: %s", error)
            return
        self._run = header.run
        match message:
            case NodeWelcome():
                self._on_welcome(message)
            case Reject(reason=reason):
                log.error("the head refuses this node: %s %s", reason.message, reason.remedy)
                self._hello, self._hello_s = None, time.monotonic() + _REFUSED_REST_S
            case NodeAgain():
                self._begin()
            case LogQuery():
                self._say(self._log(message), header.request)
            case NodeCommand(line=line):
                self._tell_supervisor(line.encode())
            case OfferModels(models=models):
                self._fetch(models)

    def _on_welcome(self, welcome: NodeWelcome) -> None:
        if self._socket.is_open():
            return
        seen, sentence = self._checks.end(welcome.shares)
        self._problems.pop("shares", None)
        if set(seen) != set(welcome.shares):
            self._begin()  # the head believes in a share that this node cannot see
            return
        if sentence:
            log.warning("%s", sentence)
            self._problems["shares"] = sentence
        self._use_door(welcome.door, seen)
        self._socket.open()
        self._say_state(time.monotonic(), at_once=True)

    def _fetch(self, models: Iterable[str]) -> None:
        for model in models:
            self._work.fetch_model(model, self._fetched)

    def _fetched(self, model: str, sentence: str) -> None:
        self._problems.pop(model, None)
        if sentence:
            log.warning("%s", sentence)
            self._problems[model] = sentence
        self._say_state(time.monotonic(), at_once=True)

    def _log(self, query: LogQuery) -> LogReport:
        try:
            return read_log(self._facts.logs, query)
        except OSError as error:
            log.warning("the log %.40s cannot be read: %s", query.log, error)
            return LogReport()

    def _tell_supervisor(self, line: bytes) -> None:
        """Write a command to the supervisor of this node."""
        try:
            descriptor = os.open(control_file(self._facts.runtime), os.O_WRONLY | os.O_NONBLOCK)
        except OSError as error:
            log.warning("the supervisor cannot be told anything: %s", error)
            return
        try:
            os.write(descriptor, line)
        except BlockingIOError:
            log.warning("the supervisor does not read what it is told")
        finally:
            os.close(descriptor)
