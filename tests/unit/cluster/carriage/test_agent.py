"""A node's end of the sessions, with a relay that only notes what it is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from cluster.carriage import agent as agents
from cluster.carriage.agent import Agent, RayUpstream
from cluster.carriage.outbox import Outbox
from cluster.carriage.parcels import CARRIAGE, Packer, Unpacker
from protocol.cluster.bridge import AgentFacts
from protocol.schema import from_plain
from tests.house import until

HELLO = [b"", b"CPW", b"1", b"NodeHello", b"", b""]
RESULT = [b"w.1.a@n", b"CPW", b"1", b"Result", b"", b"body"]


class Noting:
    """A relay that says hello and notes the rest."""

    def __init__(self, upstream: RayUpstream) -> None:
        self.upstream = upstream
        self.heard: list[Any] = []

    def begin_session(self) -> None:
        self.heard.append("begin")
        self.upstream.send(HELLO)

    def end_session(self) -> None:
        self.heard.append("end")

    def deliver(self, frames: list[bytes]) -> None:
        self.heard.append(frames)

    def close(self) -> None:
        self.heard.append("close")


@pytest.fixture
def relay() -> Noting:
    return Noting(RayUpstream())


@pytest.fixture
def agent(relay: Noting) -> Agent:
    def make(upstream: RayUpstream) -> Noting:
        relay.upstream = upstream
        return relay

    return Agent(make, "big-box", "2.60.0")


def packed(*messages: list[bytes]) -> bytes:
    packer = Packer()
    for message in messages:
        packer.put(message)
    return packer.take()


def test_an_agent_says_what_it_is(agent: Agent, relay: Noting) -> None:
    facts = from_plain(AgentFacts, agent.facts())
    assert (facts.node, facts.ray, facts.carriage, facts.session) == ("big-box", "2.60.0", CARRIAGE, 0)
    agent.pull(7, 0)
    assert from_plain(AgentFacts, agent.facts()).session == 7


def test_a_higher_number_begins_a_session_and_ends_the_one_before(agent: Agent, relay: Noting) -> None:
    assert Unpacker().feed(agent.pull(1, 0) or b"") == [HELLO]
    assert relay.heard == ["begin"]
    relay.upstream.send(RESULT)
    assert Unpacker().feed(agent.pull(2, 0) or b"") == [HELLO], "nothing of the session before"
    assert relay.heard == ["begin", "end", "begin"]
    assert agent.pull(1, 0) is None
    assert agent.push(1, packed(RESULT)) is False
    assert relay.heard == ["begin", "end", "begin"]


def test_a_pull_is_answered_as_soon_as_another_thread_says_something(agent: Agent, relay: Noting) -> None:
    agent.pull(1, 0)
    with ThreadPoolExecutor(1) as pool:
        pull = pool.submit(agent.pull, 1, 60_000)
        relay.upstream.send(RESULT)
        assert Unpacker().feed(pull.result(30) or b"") == [RESULT]


def test_a_pull_that_waits_is_answered_when_its_session_ends_and_takes_nothing_of_the_next(
    agent: Agent, relay: Noting
) -> None:
    agent.pull(1, 0)
    with ThreadPoolExecutor(1) as pool:
        pull = pool.submit(agent.pull, 1, 60_000)
        assert Unpacker().feed(agent.pull(2, 0) or b"") == [HELLO]
        relay.upstream.send(RESULT)
        assert pull.result(30) is None
    assert Unpacker().feed(agent.pull(2, 0) or b"") == [RESULT]


def test_a_pull_that_waits_holds_up_no_push(agent: Agent, relay: Noting) -> None:
    agent.pull(1, 0)
    with ThreadPoolExecutor(1) as pool:
        pull = pool.submit(agent.pull, 1, 60_000)
        assert agent.push(1, packed(RESULT))
        agent.end(1)
        assert pull.result(30) is None


def test_a_pull_that_finds_nothing_is_answered_with_nothing(agent: Agent, relay: Noting) -> None:
    agent.pull(1, 0)
    assert agent.pull(1, 20) == b""


def test_what_is_pushed_reaches_the_relay_in_order(agent: Agent, relay: Noting) -> None:
    agent.pull(1, 0)
    stream = packed(RESULT, HELLO)
    assert agent.push(1, stream[:9])
    assert agent.push(1, stream[9:])
    assert relay.heard == ["begin", RESULT, HELLO]


def test_an_ended_session_stays_ended_and_its_pull_is_answered(agent: Agent, relay: Noting) -> None:
    agent.pull(1, 0)
    agent.end(1)
    agent.end(1)
    assert relay.heard == ["begin", "end"]
    assert agent.pull(1, 0) is None
    assert agent.push(1, packed(RESULT)) is False
    assert agent.pull(2, 0)


def test_bytes_that_are_no_stream_end_the_session(agent: Agent, relay: Noting) -> None:
    agent.pull(1, 0)
    assert agent.push(1, b"\xff\xff\xff\xff") is False
    assert relay.heard == ["begin", "end"]


def test_too_much_that_waits_ends_the_session(
    monkeypatch: pytest.MonkeyPatch, agent: Agent, relay: Noting
) -> None:
    monkeypatch.setattr(agents, "Outbox", lambda: Outbox(most_messages=3))

    agent.pull(1, 0)
    for _ in range(5):
        relay.upstream.send(RESULT)
    assert agent.pull(1, 0) is None
    assert relay.heard == ["begin", "end"]


def test_a_session_that_nobody_asks_about_ends(
    monkeypatch: pytest.MonkeyPatch, agent: Agent, relay: Noting
) -> None:
    monkeypatch.setattr(agents, "UNHEARD_S", 0.05)
    monkeypatch.setattr(agents, "LOOK_EVERY_S", 0.01)

    agent.pull(1, 0)
    until(lambda: relay.heard == ["begin", "end"], 30, "it ends by itself")
    assert agent.pull(1, 0) is None
