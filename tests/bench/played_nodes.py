"""Nodes of one worker each that are played by this process: they speak the real wire, and compute nothing.

`python -m tests.bench.played_nodes ENDPOINT NODES STEPS STEP_MS [SHARE]`. With a share, a folder that the
head reaches by the same path, each speaks as a node's relay does; without one, as a worker of the
head. Each node says hello, lets its pings be
echoed, begins a call when the one before it has ended, reports once on the way, sends a result without files
`STEP_MS` after the call has begun, and keeps it until it is acknowledged. When `STEPS` results have been
acknowledged, it prints one line of JSON, a `Played`.
"""

from __future__ import annotations

import heapq
import itertools
import json
import math
import os
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import zmq

from cluster.relay.checks import Checks
from envspecs.code import code_digest
from protocol.clock import now_iso
from protocol.cluster.messages import NodeBeat, NodeHello, NodeState, NodeWelcome
from protocol.cluster.names import node_id, worker_of
from protocol.frames import Header, decode, decode_message, encode
from protocol.messages import MESSAGES, Hello, Progress, State
from protocol.schema import to_plain
from protocol.stages import demux
from protocol.supervisor import child_name
from tests.ill.nothing import NoDemux

__all__ = ["Played"]

ENVIRONMENT = "common"
_WELCOME_WITHIN_MS = 10_000
BEAT_S = 0.5
"""As a worker that has a call (workers/daemon.py)."""


@dataclass(frozen=True, kw_only=True)
class Played:
    """What the nodes did, from the first hello to the last acknowledgement."""

    wall_s: float
    busy_s: float
    """Of all nodes together: how long they had a call that had begun and had not ended."""
    processor_s: float
    """What playing them took of a processor."""


def _connect(context: zmq.Context[Any], endpoint: str, name: bytes) -> zmq.Socket[bytes]:
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.ROUTING_ID, name)
    socket.connect(endpoint)
    return socket


class Line:
    """A connection of a worker of the head's: its own two sockets."""

    def __init__(self, context: zmq.Context[Any], endpoint: str, worker: str) -> None:
        self.worker = worker
        self._socket = _connect(context, endpoint, worker.encode())
        self._pulse = _connect(context, endpoint, f"{worker}/pulse".encode())
        self.sockets: tuple[zmq.Socket[bytes], ...] = (self._socket, self._pulse)

    def send(self, frames: list[bytes]) -> None:
        """Send a message to the coordinator."""
        self._socket.send_multipart(frames)

    def receive(self, socket: zmq.Socket[bytes]) -> Iterator[list[bytes]]:
        """Yield the messages that have come to one of the sockets; send pings back."""
        while True:
            try:
                frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if socket is self._pulse:
                socket.send_multipart(frames)
            else:
                yield frames

    def beat(self) -> None:
        """Nothing but the worker beats."""


class RelayLine:
    """A node's connection, which carries its worker's messages; the node has been welcomed."""

    def __init__(self, context: zmq.Context[Any], endpoint: str, worker: str, node: str, share: str) -> None:
        self.worker = worker_of(worker, node)
        self._socket = _connect(context, endpoint, node_id(node))
        self.sockets: tuple[zmq.Socket[bytes], ...] = (self._socket,)
        checks = Checks({share: share})
        locks = {ENVIRONMENT: ""}
        hello = NodeHello(
            node=node, at=now_iso(), code=code_digest(), locks=locks, cores=1, shares=checks.make()
        )
        self._say(hello)
        assert self._socket.poll(_WELCOME_WITHIN_MS), "the coordinator does not welcome the node"
        _, *frames = self._socket.recv_multipart()
        _, welcome = decode_message(frames, MESSAGES)
        assert isinstance(welcome, NodeWelcome), welcome
        checks.end(welcome.shares)
        self._say(NodeState(workers=(worker,), free_disk_bytes=10**12, locks=locks))

    def _say(self, message: Any) -> None:
        self._socket.send_multipart([b"", *encode(type(message).__name__, Header(), message)])

    def send(self, frames: list[bytes]) -> None:
        """Send a message of the worker's to the coordinator."""
        self._socket.send_multipart([self.worker.encode(), *frames])

    def receive(self, socket: zmq.Socket[bytes]) -> Iterator[list[bytes]]:
        """Yield the messages that have come for the worker; send pings back."""
        while True:
            try:
                peer, *frames = socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            if peer.endswith(b"/pulse"):
                socket.send_multipart([peer, *frames])
            elif peer:
                yield frames

    def beat(self) -> None:
        """Say that the node is there."""
        self._say(NodeBeat())


class Node:
    """One node with its worker. Times are seconds of `time.monotonic`."""

    def __init__(self, line: Line | RelayLine, step_s: float) -> None:
        self.line = line
        self._step_s = step_s
        self._waiting: deque[tuple[Header, float]] = deque()
        self._running: tuple[Header, float] | None = None
        self._reported = False
        self._kept: dict[Header, list[bytes]] = {}
        self.busy_s = 0.0
        stages = {demux.STAGE.name: demux.STAGE.version}
        hello = Hello(
            worker=line.worker,
            environment=ENVIRONMENT,
            pid=os.getpid(),
            pulse=f"{line.worker}/pulse",
            state="ready",
            stages=stages,
        )
        self._say("Hello", Header(), hello)

    def _say(self, kind: str, header: Header, message: Any) -> list[bytes]:
        frames = encode(kind, header, message)
        self.line.send(frames)
        return frames

    def hear(self, frames: list[bytes], now_s: float) -> int:
        """Take in a message; return how many results it acknowledges."""
        said = decode(frames)
        if said.type == "Call":
            self._waiting.append((said.header, now_s))
        elif said.type == "Ack":
            return int(self._kept.pop(said.header, None) is not None)
        return 0

    def act(self, now_s: float) -> float:
        """Do what is due; return when there is something to do next, infinite where there is nothing."""
        ended_s = 0.0
        while True:
            if self._running is None and self._waiting:
                header, came_s = self._waiting.popleft()
                # Straight after the one before: the process that plays may look at it a little later.
                self._running, self._reported = (header, max(came_s, ended_s)), False
            if self._running is None:
                return float("inf")
            header, begun_s = self._running
            if not self._reported:
                if now_s < (half_s := begun_s + self._step_s / 2):
                    return half_s
                self._say("Progress", header, Progress(fraction=0.5))
                self._reported = True
            ended_s = begun_s + self._step_s
            if now_s < ended_s:
                return ended_s
            self._end(header)

    def _end(self, header: Header) -> None:
        self._running = None
        self.busy_s += self._step_s
        body = {"result": _RESULT, "artefacts": [], "duration_ms": round(1000 * self._step_s)}
        self._kept[header] = self._say("Result", header, body)

    def beat(self) -> None:
        """Say where the worker stands."""
        state = State(state="busy" if self._running is not None else "ready", rss_bytes=50_000_000)
        self._say("State", Header(), state)
        self.line.beat()


def _result() -> Any:
    request = demux.DemuxRequest(media="/film.mkv")
    return to_plain(NoDemux().run(request, None))  # type: ignore[arg-type]  # (it uses no context)


_RESULT = _result()


class Players:
    """All nodes and the loop that moves them."""

    def __init__(self, endpoint: str, nodes: int, step_s: float, share: str) -> None:
        context: zmq.Context[Any] = zmq.Context()
        self._poller = zmq.Poller()
        self._of_socket: dict[zmq.Socket[bytes], Node] = {}
        self._order = itertools.count()
        self._due: list[tuple[float, int, Node]] = []
        self.nodes: list[Node] = []
        for number in range(1, nodes + 1):
            worker = f"{child_name(ENVIRONMENT, number)}.{os.getpid()}.played"
            line = (
                RelayLine(context, endpoint, worker, f"n{number}", share)
                if share
                else Line(context, endpoint, worker)
            )
            node = Node(line, step_s)
            self.nodes.append(node)
            for socket in node.line.sockets:
                self._of_socket[socket] = node
                self._poller.register(socket, zmq.POLLIN)

    def play(self, steps: int) -> None:
        """Play until so many results have been acknowledged."""
        acknowledged = 0
        beat_s = time.monotonic()
        while acknowledged < steps:
            until_s = min(beat_s, self._due[0][0] if self._due else beat_s)
            ready = self._poller.poll(max(0, math.ceil(1000 * (until_s - time.monotonic()))))
            now_s = time.monotonic()
            awake = {}
            for socket, _ in ready:
                node = self._of_socket[socket]
                for frames in node.line.receive(socket):
                    acknowledged += node.hear(frames, now_s)
                    awake[node] = None
            while self._due and self._due[0][0] <= now_s:
                awake[heapq.heappop(self._due)[2]] = None
            for node in awake:
                self._act(node, now_s)
            if now_s >= beat_s:
                beat_s = now_s + BEAT_S
                for node in self.nodes:
                    node.beat()

    def _act(self, node: Node, now_s: float) -> None:
        next_s = node.act(now_s)
        if next_s != float("inf"):
            heapq.heappush(self._due, (next_s, next(self._order), node))


def main(endpoint: str, share: str, nodes: int, steps: int, step_ms: int) -> None:
    """Play, then say what it was."""
    begun_s, used_s = time.monotonic(), time.process_time()
    players = Players(endpoint, nodes, step_ms / 1000, share)
    players.play(steps)
    played = Played(
        wall_s=time.monotonic() - begun_s,
        busy_s=sum(node.busy_s for node in players.nodes),
        processor_s=time.process_time() - used_s,
    )
    sys.stdout.write(json.dumps(to_plain(played)) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], "".join(sys.argv[5:6]), *map(int, sys.argv[2:5]))
