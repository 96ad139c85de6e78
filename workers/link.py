"""The worker's socket, for the thread that owns it. Only this module of the room imports ZeroMQ."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, cast

import zmq
from zmq.utils.monitor import recv_monitor_message

from protocol.errors import WireError
from protocol.frames import MAX_MESSAGE_BYTES, Header, decode_message, encode
from protocol.messages import MESSAGES, CallIdentity

__all__ = ["HEARTBEAT_MS", "Mailbox", "Peer", "start_echo"]

HEARTBEAT_MS = 10_000
"""Of the sockets themselves. Who is silent is told by their echoes, and an end by the connection's end."""
_RECONNECT_MS = 50
_RECONNECT_MAX_MS = 500

log = logging.getLogger(__name__)


def _dealer(context: zmq.Context[Any], identity: bytes) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.setsockopt(zmq.ROUTING_ID, identity)
    socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
    socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
    socket.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS)
    # Without IMMEDIATE, messages wait for a coordinator that has ended, and reach the next one before Hello.
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.HEARTBEAT_IVL, HEARTBEAT_MS)
    socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5 * HEARTBEAT_MS)
    return cast("zmq.Socket[bytes]", socket)


def start_echo(endpoint: str, identity: bytes) -> None:
    """Start a thread that sends every message back, and never needs the GIL.

    `zmq.proxy` of a socket with itself runs in C: it answers even while the model's thread holds the GIL for
    minutes. A thread of Python would be silent for so long, and a busy worker would look dead.
    """
    context: zmq.Context[Any] = zmq.Context(io_threads=1)
    socket = _dealer(context, identity)
    socket.connect(endpoint)

    def echo() -> None:
        with contextlib.suppress(zmq.ContextTerminated):
            zmq.proxy(socket, socket)

    threading.Thread(target=echo, name="echo", daemon=True).start()


class Mailbox:
    """A pair of sockets between the main thread and the IO thread; objects pass by reference."""

    def __init__(self, context: zmq.Context[Any], name: str) -> None:
        self._near = context.socket(zmq.PAIR)
        self._near.bind(f"inproc://{name}")
        self.far = context.socket(zmq.PAIR)
        self.far.connect(f"inproc://{name}")
        self._to_io: deque[Any] = deque()
        self._to_main: deque[Any] = deque()

    def put(self, item: Any) -> None:
        """Main thread: give `item` to the IO thread."""
        self._to_io.append(item)
        self._near.send(b"")

    def get(self, timeout_s: float | None = None) -> Any:
        """Main thread: wait for the next item of the IO thread; None where none comes in time."""
        if timeout_s is not None and not self._near.poll(round(timeout_s * 1000)):
            return None
        self._near.recv()
        return self._to_main.popleft()

    def reply(self, item: Any) -> None:
        """IO thread: give `item` to the main thread."""
        self._to_main.append(item)
        self.far.send(b"")

    def take(self) -> Any:
        """IO thread: take the next item; call it when `far` is readable."""
        self.far.recv()
        return self._to_io.popleft()


class Peer:
    """The connection to the coordinator, for the IO thread: it sends, and tells what arrives."""

    def __init__(self, endpoint: str, identity: bytes) -> None:
        self.context: zmq.Context[Any] = zmq.Context()
        self.mailbox = Mailbox(self.context, "main")
        self._socket = _dealer(self.context, identity)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self._socket.connect(endpoint)
        self._poller = zmq.Poller()
        for socket in (self._socket, self._monitor, self.mailbox.far):
            self._poller.register(socket, zmq.POLLIN)

    def send(self, message: Any, identity: CallIdentity | None, run: str) -> None:
        """Send the message if there is a connection. `phases` keeps what must arrive, and sends it again."""
        header = Header(run=run)
        if identity is not None:
            header = Header(run=identity.run, job=identity.job, step=identity.step, attempt=identity.attempt)
        with contextlib.suppress(zmq.Again):
            self._socket.send_multipart(encode(type(message).__name__, header, message), zmq.NOBLOCK)

    def wait(
        self,
        timeout_ms: int,
        on_connected: Callable[[], None],
        on_message: Callable[[Any, CallIdentity, str], None],
        on_item: Callable[[Any], None],
    ) -> bool:
        """Wait at most `timeout_ms`, call the function for what arrives, and return whether anything did."""
        events = dict(self._poller.poll(timeout_ms))
        if self._monitor in events:
            recv_monitor_message(self._monitor)
            on_connected()
        if self.mailbox.far in events:
            on_item(self.mailbox.take())
        if self._socket in events:
            self._receive(on_message)
        return bool(events)

    def _receive(self, on_message: Callable[[Any, CallIdentity, str], None]) -> None:
        try:
            header, message = decode_message(self._socket.recv_multipart(), MESSAGES)
        except WireError as error:
            log.warning("refused a message of the coordinator: %s", error)
            return
        identity = CallIdentity(job=header.job, step=header.step, attempt=header.attempt, run=header.run)
        on_message(message, identity, header.run)
