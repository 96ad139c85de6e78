"""A node in this process: the real relay, connected straight to the coordinator; a test plays its workers."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path

from cluster.relay.checks import Checks
from cluster.relay.facts import NodeFacts
from cluster.relay.relay import Relay
from cluster.relay.sockets import Cable
from coordinator.nodes.placing import digests_at_head
from envspecs.code import code_digest
from protocol.clock import iso_of_ms, now_ms
from protocol.cluster.messages import Door, NodeHello, NodeState, Share
from protocol.endpoints import worker_endpoint
from protocol.errors import TransientError
from protocol.hardware import Hardware
from protocol.messages import Call, CallIdentity, Result
from protocol.supervisor import ChildReport
from tests.lone_coordinator import LoneCoordinator, PlayedWorker


class KnownFacts(NodeFacts):
    """What the node says of itself is what a test has set."""

    clock_behind_ms = 0
    locks: Mapping[str, str]
    models: Iterable[str] = ()
    children: Mapping[str, ChildReport]
    dead: frozenset[str] = frozenset()
    free_disk_bytes = 10**12
    trouble: Iterable[str] = ()
    hardware: Hardware | None = None
    code = ""

    def hello(self, shares: Iterable[Share]) -> NodeHello:
        return NodeHello(
            node=self.node,
            at=iso_of_ms(now_ms() - self.clock_behind_ms),
            code=self.code or code_digest(),
            locks=dict(self.locks),
            hardware=self.hardware,
            cores=8,
            shares=tuple(shares),
        )

    def state(self, workers: Mapping[str, int], problems: Iterable[str]) -> NodeState:
        return NodeState(
            children=dict(self.children),
            workers=tuple(sorted(set(workers) - self.dead)),
            models=tuple(self.models),
            free_disk_bytes=self.free_disk_bytes,
            locks=dict(self.locks),
            problems=(*problems, *self.trouble),
            leaves=self.is_leaving(),
        )


class CountingFiles:
    """Brings no file; notes what it is asked, and fails or waits where a test wants that."""

    def __init__(self) -> None:
        self.prepared: list[str] = []
        self.published: list[str] = []
        self.forgotten: list[str] = []
        self.models: list[str] = []
        self.broken = False
        self.unreachable = self.own_disk = False
        self.may_go_on = threading.Event()
        self.may_go_on.set()

    def prepare(self, identity: CallIdentity, call: Call) -> Call:
        self.prepared.append(identity.step)
        assert self.may_go_on.wait(20)
        if self.broken:
            message = "The file cannot be fetched."
            raise TransientError(message)
        return call

    def publish(self, identity: CallIdentity, call: Call | None, result: Result) -> Result:
        self.published.append(identity.step)
        if self.unreachable:
            message = "The head does not answer."
            raise TransientError(message)
        return result

    def keeps(self, identity: CallIdentity) -> bool:
        return self.own_disk

    def send_log(self, identity: CallIdentity) -> None:
        self.published.append(f"log of {identity.step}")

    def forget(self, identity: CallIdentity) -> None:
        self.forgotten.append(identity.step)

    def fetch_model(self, model: str) -> None:
        self.models.append(model)


class PlayedNode:
    """A context manager; its coordinator is turned by the test."""

    def __init__(
        self, lone: LoneCoordinator, name: str = "box", shares: Mapping[str, str] | None = None
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cpw-", dir="/tmp")
        self.runtime = Path(self._folder.name)
        self.lone = lone
        self.name = name
        self.files = CountingFiles()
        self.doors: list[tuple[Door, tuple[str, ...]]] = []
        self.facts = KnownFacts(node=name, runtime=self.runtime, jobs=self.runtime)
        vars(self.facts).update(locks=digests_at_head(), children={}, logs=self.runtime / "logs")
        self._workers: list[PlayedWorker] = []
        given = {str(lone.path): str(lone.path)} if shares is None else shares
        self.relay = Relay(
            self.facts,
            self.files,
            self,
            Checks(given),
            lambda *door: self.doors.append(door),
        )
        self._cable: Cable | None = None

    def send(self, frames: list[bytes]) -> None:
        if self._cable is not None:
            self._cable.send(frames)

    def set(self, **facts: object) -> None:
        """Set what the node says of itself from now on."""
        vars(self.facts).update(facts)

    def __enter__(self) -> PlayedNode:
        self.relay.start()
        self.connect()
        self.lone.until(lambda: self.name in self.lone.coordinator.nodes.present)
        return self

    def connect(self) -> None:
        """Open the way to the coordinator."""
        relay = self.relay
        self._cable = Cable(
            worker_endpoint(self.lone.runtime),
            self.name,
            relay.begin_session,
            relay.end_session,
            relay.deliver,
        )

    def cut(self) -> None:
        """Cut the way to the coordinator, as a network does."""
        assert self._cable is not None
        self._cable.close()
        self._cable = None
        self.relay.end_session()

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.leave()
        if self._cable is not None:
            self.cut()
        self.relay.close()
        self._folder.cleanup()

    def worker(self, environment: str = "common", pid: int | None = None) -> PlayedWorker:
        """Return a worker of this node that the coordinator has welcomed."""
        worker = PlayedWorker(worker_endpoint(self.runtime), environment, pid or os.getpid())
        self._workers.append(worker)
        worker.say(worker.hello)
        self.lone.until(lambda: f"{worker.name}@{self.name}" in self.lone.members)
        return worker
