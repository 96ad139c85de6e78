"""The bridge's connections to the coordinator, one a node. Only this module of the folder imports ZeroMQ."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import zmq
from zmq.utils.monitor import recv_monitor_message

from protocol.cluster.names import node_id
from protocol.frames import MAX_MESSAGE_BYTES

__all__ = ["Happened", "Sockets"]

_HEARTBEAT_MS = 10_000
_RECONNECT_MS = 50
_RECONNECT_MAX_MS = 500
_WATCHED = zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_DISCONNECTED


@dataclass(frozen=True)
class Happened:
    """What has happened to the connection of `node` (Ray's id of it)."""

    node: str
    what: Literal["connected", "disconnected", "readable"]


class _Connection:
    """A DEALER that the coordinator knows as the node, and what ZeroMQ tells of it."""

    def __init__(self, context: zmq.Context[Any], endpoint: str, name: str) -> None:
        self.dealer = cast("zmq.Socket[bytes]", context.socket(zmq.DEALER))
        self.dealer.linger = 0
        self.dealer.setsockopt(zmq.ROUTING_ID, node_id(name))
        self.dealer.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self.dealer.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
        self.dealer.setsockopt(zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS)
        # Without IMMEDIATE, messages wait for a coordinator that has ended, and reach the next one too early.
        self.dealer.setsockopt(zmq.IMMEDIATE, 1)
        self.dealer.setsockopt(zmq.HEARTBEAT_IVL, _HEARTBEAT_MS)
        self.dealer.setsockopt(zmq.HEARTBEAT_TIMEOUT, 5 * _HEARTBEAT_MS)
        self.monitor = self.dealer.get_monitor_socket(_WATCHED)
        self.dealer.connect(endpoint)

    def news(self) -> Literal["connected", "disconnected"]:
        """Return what the monitor has to say; call it when the monitor is readable."""
        event = recv_monitor_message(self.monitor)["event"]
        return "connected" if event == zmq.EVENT_HANDSHAKE_SUCCEEDED else "disconnected"

    def close(self) -> None:
        """Close both; what waits is dropped."""
        self.dealer.disable_monitor()
        self.monitor.close(linger=0)
        self.dealer.close(linger=0)


class Sockets:
    """All connections, for the one thread that owns them; any thread may wake it."""

    def __init__(self, endpoint: str) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        # Two descriptors for a node, and some for Ray.
        self._context.max_sockets = 4_096
        self._endpoint = endpoint
        self._connections: dict[str, _Connection] = {}
        self._owners: dict[Any, tuple[str, bool]] = {}
        self._poller = zmq.Poller()
        self._woken, self._wakes = os.pipe()
        for descriptor in (self._woken, self._wakes):
            os.set_blocking(descriptor, False)
        self._poller.register(self._woken, zmq.POLLIN)

    def wake(self) -> None:
        """End a `wait` from any thread, and from a signal's handler."""
        with contextlib.suppress(BlockingIOError):
            os.write(self._wakes, b"\0")

    def open(self, node: str, name: str) -> None:
        """Connect in the name of a node, in place of a connection that it has."""
        self.close(node)
        connection = _Connection(self._context, self._endpoint, name)
        self._connections[node] = connection
        self._owners[connection.dealer] = (node, False)
        self._owners[connection.monitor] = (node, True)
        self._poller.register(connection.dealer, zmq.POLLIN)
        self._poller.register(connection.monitor, zmq.POLLIN)

    def close(self, node: str) -> None:
        """Close the node's connection, if there is one: the coordinator sees it at once."""
        connection = self._connections.pop(node, None)
        if connection is None:
            return
        for socket in (connection.dealer, connection.monitor):
            del self._owners[socket]
            with contextlib.suppress(KeyError):
                self._poller.unregister(socket)
        connection.close()

    def listen(self, node: str, *, to_it: bool) -> None:
        """Tell of what the coordinator says to the node, or let it wait in its queue for a while."""
        connection = self._connections.get(node)
        if connection is not None:
            self._poller.register(connection.dealer, zmq.POLLIN if to_it else 0)

    def send(self, node: str, frames: Sequence[bytes]) -> bool:
        """Send the message to the coordinator; False: it takes no more, or the connection has gone."""
        connection = self._connections.get(node)
        if connection is None:
            return False
        try:
            connection.dealer.send_multipart(frames, zmq.NOBLOCK)
        except zmq.Again:
            return False
        return True

    def receive(self, node: str) -> list[bytes] | None:
        """Return the coordinator's next message to the node, None where there is none."""
        connection = self._connections.get(node)
        if connection is None:
            return None
        try:
            return connection.dealer.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def wait(self, timeout_ms: int) -> Iterator[Happened]:
        """Wait at most `timeout_ms`, then yield what has happened; what is closed meanwhile is left out."""
        ready = dict(self._poller.poll(timeout_ms))
        if ready.pop(self._woken, None):
            with contextlib.suppress(BlockingIOError):
                os.read(self._woken, 65_536)
        # A connection's end is told before what it brought, so that nothing of an ended one goes on.
        for socket in sorted(ready, key=lambda found: not self._owners[found][1]):
            owner = self._owners.get(socket)
            if owner is None:
                continue
            node, is_monitor = owner
            yield Happened(node, self._connections[node].news() if is_monitor else "readable")

    def destroy(self) -> None:
        """Close all of them."""
        for node in list(self._connections):
            self.close(node)
        self._context.destroy(linger=0)
        os.close(self._woken)
        os.close(self._wakes)
