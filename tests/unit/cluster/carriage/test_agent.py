"""A node's end of the sessions, with a relay that only notes what it is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from cluster.carriage import agent as agents
from cluster.carriage.agent import Agent, RayUpstream
from cluster.carriage.outbox import Outbox
from cluster.carriage.parcels import CARRIAGE, Packer, Unpacker
from protocol.cluster.bridge import AgentFacts
from protocol.schema import from_plain

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


def play(script: Callable[[Agent, Noting], Awaitable[None]]) -> None:
    """Run what a bridge does with an agent."""

    async def run() -> None:
        relays: list[Noting] = []

        def make(upstream: RayUpstream) -> Noting:
            relays.append(Noting(upstream))
            return relays[0]

        await script(Agent(make, "big-box", "2.60.0"), relays[0])

    asyncio.run(run())


def packed(*messages: list[bytes]) -> bytes:
    packer = Packer()
    for message in messages:
        packer.put(message)
    return packer.take()


def test_an_agent_says_what_it_is() -> None:
    async def script(agent: Agent, _: Noting) -> None:
        facts = from_plain(AgentFacts, await agent.facts())
        assert (facts.node, facts.ray, facts.carriage, facts.session) == ("big-box", "2.60.0", CARRIAGE, 0)
        await agent.pull(7, 0)
        assert from_plain(AgentFacts, await agent.facts()).session == 7

    play(script)


def test_a_higher_number_begins_a_session_and_ends_the_one_before() -> None:
    async def script(agent: Agent, relay: Noting) -> None:
        assert Unpacker().feed(await agent.pull(1, 0) or b"") == [HELLO]
        assert relay.heard == ["begin"]
        relay.upstream.send(RESULT)
        assert Unpacker().feed(await agent.pull(2, 0) or b"") == [HELLO], "nothing of the session before"
        assert relay.heard == ["begin", "end", "begin"]
        assert await agent.pull(1, 0) is None
        assert await agent.push(1, packed(RESULT)) is False
        assert relay.heard == ["begin", "end", "begin"]

    play(script)


def test_a_pull_is_answered_as_soon_as_another_thread_says_something() -> None:
    async def script(agent: Agent, relay: Noting) -> None:
        await agent.pull(1, 0)
        pull = asyncio.create_task(agent.pull(1, 60_000))
        await asyncio.sleep(0)
        threading.Thread(target=relay.upstream.send, args=(RESULT,)).start()
        assert Unpacker().feed(await asyncio.wait_for(pull, 30) or b"") == [RESULT]

    play(script)


def test_a_pull_that_finds_nothing_is_answered_with_nothing() -> None:
    async def script(agent: Agent, _: Noting) -> None:
        await agent.pull(1, 0)
        assert await agent.pull(1, 20) == b""

    play(script)


def test_what_is_pushed_reaches_the_relay_in_order() -> None:
    async def script(agent: Agent, relay: Noting) -> None:
        await agent.pull(1, 0)
        stream = packed(RESULT, HELLO)
        assert await agent.push(1, stream[:9])
        assert await agent.push(1, stream[9:])
        assert relay.heard == ["begin", RESULT, HELLO]

    play(script)


def test_an_ended_session_stays_ended_and_its_pull_is_answered() -> None:
    async def script(agent: Agent, relay: Noting) -> None:
        await agent.pull(1, 0)
        await agent.end(1)
        await agent.end(1)
        assert relay.heard == ["begin", "end"]
        assert await agent.pull(1, 0) is None
        assert await agent.push(1, packed(RESULT)) is False
        assert await agent.pull(2, 0)

    play(script)


def test_bytes_that_are_no_stream_end_the_session() -> None:
    async def script(agent: Agent, relay: Noting) -> None:
        await agent.pull(1, 0)
        assert await agent.push(1, b"\xff\xff\xff\xff") is False
        assert relay.heard == ["begin", "end"]

    play(script)


def test_too_much_that_waits_ends_the_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "Outbox", lambda: Outbox(most_messages=3))

    async def script(agent: Agent, relay: Noting) -> None:
        await agent.pull(1, 0)
        for _ in range(5):
            relay.upstream.send(RESULT)
        assert await agent.pull(1, 0) is None
        assert relay.heard == ["begin", "end"]

    play(script)


def test_a_session_that_nobody_asks_about_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agents, "UNHEARD_S", 0.05)
    monkeypatch.setattr(agents, "LOOK_EVERY_S", 0.01)

    async def script(agent: Agent, relay: Noting) -> None:
        await agent.pull(1, 0)
        async with asyncio.timeout(30):
            while relay.heard != ["begin", "end"]:
                await asyncio.sleep(0)
        assert await agent.pull(1, 0) is None

    play(script)
