"""The relay's sockets: the one that workers connect to, and a connection straight to the coordinator."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import zmq
from zmq.utils.monitor import parse_monitor_message

from protocol.cluster.names import node_id
from protocol.endpoints import worker_endpoint
from protocol.frames import MAX_MESSAGE_BYTES

__all__ = ["Cable", "Left", "WorkerSocket"]

_HEARTBEAT_MS = 10_000
_RECONNECT_MS = 50
_RECONNECT_MAX_MS = 500
_A_TURN = 500


class Left(Exception):  # noqa: N818 (an answer, not an error: the worker has left)
    """The worker has disconnected; the message was not given to it."""


class WorkerSocket:
    """The ROUTER `w` of a node, in a coordinator's place. While it is closed, workers wait for it."""

    def __init__(self, runtime: Path) -> None:
        self._endpoint = worker_endpoint(runtime)
        self._context: zmq.Context[Any] = zmq.Context()
        self._wake_near = self._context.socket(zmq.PAIR)
        self._wake_near.bind("inproc://wake")
        self._wake_far = self._context.socket(zmq.PAIR)
        self._wake_far.connect("inproc://wake")
        self._wake_lock = threading.Lock()
        self._socket: zmq.Socket[bytes] | None = None
        self._poller = zmq.Poller()
        self._poller.register(self._wake_near, zmq.POLLIN)

    def is_open(self) -> bool:
        """Return whether workers can connect."""
        return self._socket is not None

    def open(self) -> None:
        """Let workers connect. Raises `zmq.ZMQError` where the address is taken."""
        socket = self._context.socket(zmq.ROUTER)
        socket.linger = 0
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5 * _HEARTBEAT_MS)
        # The kernel tells the user id of a peer: other users are refused even if they can open the directory.
        socket.setsockopt(zmq.IPC_FILTER_UID, os.getuid())
        previous = os.umask(0o077)
        try:
            socket.bind(self._endpoint)
        except zmq.ZMQError:
            socket.close(linger=0)
            raise
        finally:
            os.umask(previous)
        self._poller.register(socket, zmq.POLLIN)
        self._socket = cast("zmq.Socket[bytes]", socket)

    def shut(self) -> None:
        """Close every worker's connection."""
        if self._socket is not None:
            self._poller.unregister(self._socket)
            self._socket.close(linger=0)
            self._socket = None

    def wake(self) -> None:
        """End a `wait` from any thread."""
        with self._wake_lock:
            self._wake_far.send(b"")

    def wait(self, timeout_ms: int) -> list[list[bytes]]:
        """Wait at most `timeout_ms`; return what has come, each with its worker in front."""
        ready = dict(self._poller.poll(timeout_ms))
        if self._wake_near in ready:
            with contextlib.suppress(zmq.Again):
                while True:
                    self._wake_near.recv(zmq.NOBLOCK)
        found: list[list[bytes]] = []
        if self._socket is not None and self._socket in ready:
            with contextlib.suppress(zmq.Again):
                while len(found) < _A_TURN:
                    found.append(self._socket.recv_multipart(zmq.NOBLOCK))
        return found

    def send(self, frames: list[bytes]) -> None:
        """Send to the worker in front; raises `Left` where it has gone or its queue is full."""
        if self._socket is None:
            raise Left
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again as error:
            raise Left from error
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            raise Left from error

    def close(self) -> None:
        """Close everything; the file of the socket is removed."""
        self._context.destroy(linger=0)
        Path(self._endpoint.removeprefix("ipc://")).unlink(missing_ok=True)


class Cable:
    """The upstream without Ray: a connection of this process to the coordinator's socket.

    `on_begin`, `on_end` and `on_frames` are called on its own thread: a session is as long as the connection.
    """

    def __init__(
        self,
        endpoint: str,
        node: str,
        on_begin: Callable[[], None],
        on_end: Callable[[], None],
        on_frames: Callable[[list[bytes]], None],
    ) -> None:
        self._calls = (on_begin, on_end, on_frames)
        self._context: zmq.Context[Any] = zmq.Context()
        self._near = self._context.socket(zmq.PAIR)
        self._near.bind("inproc://cable")
        self._far = self._context.socket(zmq.PAIR)
        self._far.connect("inproc://cable")
        self._lock = threading.Lock()
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.setsockopt(zmq.ROUTING_ID, node_id(node))
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS)
        socket.setsockopt(zmq.IMMEDIATE, 1)
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5 * _HEARTBEAT_MS)
        self._socket = socket
        self._monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED)
        self._socket.connect(endpoint)
        self._thread = threading.Thread(target=self._serve, name="cable", daemon=True)
        self._thread.start()

    def send(self, frames: list[bytes]) -> None:
        """Send to the coordinator, from any thread; dropped where there is no connection."""
        with self._lock, contextlib.suppress(zmq.ZMQError):
            self._far.send_multipart(frames)

    def _serve(self) -> None:
        on_begin, on_end, on_frames = self._calls
        poller = zmq.Poller()
        for socket in (self._socket, self._monitor, self._near):
            poller.register(socket, zmq.POLLIN)
        with contextlib.suppress(zmq.ContextTerminated):
            while True:
                ready = dict(poller.poll())
                if self._monitor in ready:
                    event = parse_monitor_message(self._monitor.recv_multipart())["event"]
                    (on_begin if event == zmq.EVENT_HANDSHAKE_SUCCEEDED else on_end)()
                if self._near in ready:
                    frames = self._near.recv_multipart()
                    if frames == [b""]:
                        break
                    with contextlib.suppress(zmq.Again):
                        self._socket.send_multipart(frames, zmq.NOBLOCK)
                if self._socket in ready:
                    on_frames(self._socket.recv_multipart())
        self._context.destroy(linger=0)

    def close(self) -> None:
        """End the connection and the thread."""
        self.send([b""])
        self._thread.join()
