"""The bridge with real sockets and real agents, and in Ray's place a pool of threads."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cluster.bridge import sessions
from cluster.bridge.bridge import Bridge
from cluster.bridge.fleet import Answered, FleetError
from cluster.bridge.joining import RayNode
from cluster.carriage.agent import Agent, RayUpstream
from cluster.carriage.parcels import CARRIAGE
from protocol.cluster.bridge import BRIDGE_LOST, AgentFacts, NodeReport, read_bridge
from protocol.cluster.messages import NodeHello
from protocol.frames import Header, encode
from tests.house import until
from tests.ray_cluster import PlayedHead

FIRST = RayNode(id="a", address="192.168.1.4", is_alive=True, is_head=False)
SECOND = RayNode(id="b", address="192.168.1.5", is_alive=True, is_head=False)
HEAD = AgentFacts(node="head", place="", carriage=CARRIAGE, python="3.11.7", ray="2.60.0")
BOX = b"node/box"
CALL = [b"w@box", b"CPW", b"1", b"Cores", b"header", b"body"]


class Echo:
    """A relay that sends everything back."""

    def __init__(self, upstream: RayUpstream) -> None:
        self.upstream = upstream

    def begin_session(self) -> None:
        self.upstream.send([b"", *encode("NodeHello", Header(), NodeHello(node="box", at=""))])

    def end_session(self) -> None:
        pass

    def deliver(self, frames: list[bytes]) -> None:
        if frames[0]:
            self.upstream.send(frames)

    def close(self) -> None:
        pass


class PlayedFleet:
    """Nodes and agents as a test wants; `hangs` holds back all answers."""

    def __init__(self) -> None:
        self.listed: Sequence[RayNode] = (FIRST,)
        self.agents: dict[str, Agent] = {}
        self.forgotten: list[str] = []
        self.broken = ""
        self.answers = threading.Event()
        self.answers.set()
        self._pool = ThreadPoolExecutor(16)

    def nodes(self) -> Sequence[RayNode]:
        if self.broken:
            raise FleetError(self.broken)
        return self.listed

    def ensure_agent(self, node: str) -> None:
        if node not in self.agents:
            self.agents[node] = Agent(Echo, "box", HEAD.ray)

    def forget_agent(self, node: str) -> None:
        self.forgotten.append(node)

    def call(self, node: str, method: str, arguments: tuple[Any, ...], answered: Answered) -> None:
        def run() -> None:
            answer = getattr(self.agents[node], method)(*arguments)
            if method == "facts":
                answer = answer | {"python": HEAD.python}
            self.answers.wait(30)
            answered(answer, "")

        self._pool.submit(run)

    def close(self) -> None:
        self.answers.set()
        self._pool.shutdown()


class Following:
    """A bridge that serves in a thread of its own."""

    def __init__(self, folder: Path) -> None:
        self.runtime = folder
        self.fleet = PlayedFleet()
        self.head = PlayedHead(folder)
        self.bridge = Bridge(folder, self.fleet, HEAD)
        self.codes: list[int] = []
        self._thread = threading.Thread(target=lambda: self.codes.append(self.bridge.serve()))
        self._thread.start()

    def join(self) -> list[int]:
        self._thread.join(30)
        return self.codes

    def close(self) -> None:
        if not self.codes:
            self.bridge.stop()
        self.join()
        self.fleet.close()
        self.head.destroy()

    def connected(self, count: int) -> None:
        """Wait until nodes have said hello so often."""
        self.head.until(lambda: len(self.head.hellos) >= count, f"{count} hellos", 20)

    def reported(self, node: str) -> NodeReport | None:
        report = read_bridge(self.runtime)
        return report.nodes.get(node) if report is not None else None

    def goes_through(self) -> None:
        """Send a call to the node, and wait until it has come back."""
        before = len(self.head.heard)
        self.head.send(BOX, CALL[0], CALL[1:])
        self.head.until(lambda: [BOX, *CALL] in self.head.heard[before:], "the call comes back", 20)


@pytest.fixture
def following() -> Iterator[Following]:
    with tempfile.TemporaryDirectory(prefix="cpw-", dir="/tmp") as name:
        found = Following(Path(name))
        yield found
        found.close()


def test_calls_go_to_a_node_and_back(following: Following) -> None:
    following.connected(1)
    for _ in range(3):
        following.goes_through()
    until(lambda: (node := following.reported("a")) is not None and node.state == "connected", 10)
    node = following.reported("a")
    assert node is not None
    assert (node.name, node.address, node.session) == ("box", "192.168.1.4", 1)


def test_many_messages_come_back_in_order(following: Following) -> None:
    following.connected(1)
    sent = [[b"w@box", b"CPW", b"1", b"Cores", b"%d" % number, b"x" * 3_000] for number in range(500)]
    for frames in sent:
        following.head.send(BOX, frames[0], frames[1:])
    following.head.until(lambda: [BOX, *sent[-1]] in following.head.heard, "all come back", 30)
    assert [frames[1:] for frames in following.head.heard if frames[-1] == b"x" * 3_000] == sent


def test_a_coordinator_that_comes_back_gets_a_new_session(following: Following) -> None:
    following.connected(1)
    following.head.close()
    following.head.open()
    following.connected(2)
    following.goes_through()


def test_an_agent_that_does_not_answer_is_let_go_and_comes_back(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.connected(1)
    monkeypatch.setattr(sessions, "ANSWER_MS", 200)
    following.fleet.answers.clear()
    until(lambda: (node := following.reported("a")) is not None and "no answer" in node.problem, 20)
    monkeypatch.setattr(sessions, "ANSWER_MS", 10_000)
    following.fleet.answers.set()
    following.connected(2)
    following.goes_through()


def test_a_node_that_has_gone_is_closed_and_its_agent_forgotten(following: Following) -> None:
    following.connected(1)
    following.fleet.listed = (replace(FIRST, is_alive=False),)
    until(lambda: following.fleet.forgotten == ["a"], 20, "the agent is forgotten")
    until(lambda: following.reported("a") is None, 20, "the report has it no more")


def test_a_second_node_of_the_name_waits_until_the_first_has_gone(following: Following) -> None:
    following.connected(1)
    following.fleet.listed = (FIRST, SECOND)
    until(lambda: (node := following.reported("b")) is not None and node.state == "refused", 20)
    following.goes_through()
    following.fleet.listed = (SECOND,)
    following.connected(2)
    following.goes_through()


def test_a_machine_that_comes_back_as_another_node_takes_its_place(following: Following) -> None:
    following.connected(1)
    following.fleet.listed = (FIRST, replace(FIRST, id="b"))
    following.connected(2)
    following.goes_through()
    until(lambda: (node := following.reported("a")) is not None and node.state == "superseded", 20)


def test_a_bridge_whose_ray_cannot_be_asked_ends_with_its_own_code(following: Following) -> None:
    following.connected(1)
    following.fleet.broken = "it has gone"
    assert following.join() == [BRIDGE_LOST]


def test_a_bridge_that_is_told_to_stop_ends_the_sessions(following: Following) -> None:
    following.connected(1)
    following.bridge.stop()
    assert following.join() == [0]
    until(lambda: following.fleet.agents["a"].pull(1, 0) is None, 10, "the agent knows that it is over")
