"""The coordinator's two sockets. The only module of this room that uses ZeroMQ.

A worker on a node of the cluster has no connection of its own: its node's one carries its messages, with the
worker's name in front. Its name tells the way (`protocol.cluster.names`).
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import zmq

from protocol.cluster.names import NODE_PREFIX, route_of
from protocol.endpoints import client_endpoint, worker_endpoint
from protocol.errors import VersionError, WireError
from protocol.frames import MAX_MESSAGE_BYTES, Header, decode_message, encode
from protocol.messages import MESSAGES

__all__ = ["Arrival", "Echo", "Gone", "Link", "Malformed"]

_HEARTBEAT_MS = 10_000
_PULSE = b"/pulse"


@dataclass(frozen=True)
class Arrival:
    """A message, its sender, and the socket that it came to (`w` or `c`)."""

    side: str
    peer: bytes
    header: Header
    message: Any


@dataclass(frozen=True)
class Echo:
    """The answer to a ping, which needs no GIL. `worker` is the worker's name, `payload` the ping's."""

    worker: str
    payload: bytes


@dataclass(frozen=True)
class Malformed:
    """Frames that are no message; `peer_version` is set where only the wire version is wrong."""

    side: str
    peer: bytes
    error: WireError
    peer_version: bytes | None
    type: str = ""
    """The type that it claims to have."""


class Gone(Exception):  # noqa: N818 (an answer, not an error: the peer has left)
    """The peer has disconnected; the message was not sent."""


class Link:
    """Two ROUTER sockets, `w` for workers and `c` for clients; other threads can wake who waits on them."""

    def __init__(self, runtime: Path) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._wake_near = self._context.socket(zmq.PAIR)
        self._wake_near.bind("inproc://wake")
        self._wake_far = self._context.socket(zmq.PAIR)
        self._wake_far.connect("inproc://wake")
        self._wake_lock = threading.Lock()
        previous = os.umask(0o077)
        try:
            self._endpoints = (worker_endpoint(runtime), client_endpoint(runtime))
            self._sockets = {
                side: self._router(endpoint) for side, endpoint in zip("wc", self._endpoints, strict=True)
            }
        finally:
            os.umask(previous)
        self._poller = zmq.Poller()
        for socket in (*self._sockets.values(), self._wake_near):
            self._poller.register(socket, zmq.POLLIN)

    def _router(self, endpoint: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.ROUTER)
        socket.linger = 0
        # Without it, a message to a peer that has left is dropped without an error.
        socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        # A worker that reconnects keeps its name, and its old connection may still look alive.
        socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        socket.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        socket.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5 * _HEARTBEAT_MS)
        # The kernel tells the user id of a peer: other users are refused even if they can open the directory.
        socket.setsockopt(zmq.IPC_FILTER_UID, os.getuid())
        socket.bind(endpoint)
        return cast("zmq.Socket[bytes]", socket)

    def wake(self) -> None:
        """End a `wait` from any thread."""
        with self._wake_lock:
            self._wake_far.send(b"")

    def wait(self, timeout_ms: int) -> Iterator[Arrival | Echo | Malformed]:
        """Wait at most `timeout_ms`, then yield what has arrived, at most 500 messages a socket."""
        ready = dict(self._poller.poll(timeout_ms))
        if self._wake_near in ready:
            with contextlib.suppress(zmq.Again):
                while True:
                    self._wake_near.recv(zmq.NOBLOCK)
        for side, socket in self._sockets.items():
            if socket in ready:
                yield from self._receive(side, socket)

    def _receive(self, side: str, socket: zmq.Socket[bytes]) -> Iterator[Arrival | Echo | Malformed]:
        for _ in range(_A_TURN):
            try:
                peer, *frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if side == "w":
                peer, frames = _sender(peer, frames)
            if side == "w" and peer.endswith(_PULSE):
                worker = peer.removesuffix(_PULSE).decode("ascii", "replace")
                yield Echo(worker, b"".join(frames))
                continue
            try:
                yield _read(side, peer, frames)
            except WireError as error:
                version = frames[1] if isinstance(error, VersionError) else None
                kind = frames[2].decode("ascii", "replace") if len(frames) > 2 else ""
                yield Malformed(side, peer, error, version, kind)

    def send(
        self, side: str, peer: bytes, header: Header, message: Any, version: bytes | None = None
    ) -> None:
        """Send `message`; raises `Gone` where the peer has left or its queue is full."""
        frames = encode(type(message).__name__, header, message)
        if version is not None:
            frames[1] = version
        self.send_frames(side, peer, frames)

    def send_frames(self, side: str, peer: bytes, frames: list[bytes]) -> None:
        """Send frames that `encode` returned; raises `Gone` as `send` does."""
        self._send(side, [peer, *frames])

    def ping(self, pulse: str, payload: bytes) -> None:
        """Send `payload` to be echoed; raises `Gone` where the process has left."""
        self._send("w", [pulse.encode(), payload])

    def _send(self, side: str, frames: list[bytes]) -> None:
        if side == "w":
            frames = _on_its_way(frames)
        try:
            self._sockets[side].send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again as error:
            raise Gone from error
        except zmq.ZMQError as error:
            if error.errno != errno.EHOSTUNREACH:
                raise
            raise Gone from error

    def close(self) -> None:
        """Close the sockets; peers notice it and reconnect to the next coordinator.

        The socket files are removed, so that a client sees at once that no coordinator runs.
        """
        self._context.destroy(linger=0)
        for endpoint in self._endpoints:
            Path(endpoint.removeprefix("ipc://")).unlink(missing_ok=True)


_A_TURN = 500


_NODE = NODE_PREFIX.encode()


def _sender(peer: bytes, frames: list[bytes]) -> tuple[bytes, list[bytes]]:
    """Return who has sent the frames that came from the connection `peer`.

    Of a node's connection the first frame says which of its workers; empty: the node itself. What a node says
    in the name of another one's worker has no sender, and is refused.
    """
    if not peer.startswith(_NODE) or not frames:
        return peer, frames
    worker, *rest = frames
    if worker and route_of(worker) != peer:
        return peer, []
    return worker or peer, rest


def _on_its_way(frames: list[bytes]) -> list[bytes]:
    """Return the frames with the connection that leads to their receiver in front."""
    peer, *rest = frames
    if peer.startswith(_NODE):
        return [peer, b"", *rest]
    route = route_of(peer)
    return frames if route is None else [route, *frames]


def _read(side: str, peer: bytes, frames: list[bytes]) -> Arrival:
    header, message = decode_message(frames, MESSAGES)
    return Arrival(side, peer, header, message)
