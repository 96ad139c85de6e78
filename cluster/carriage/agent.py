"""A node's end of the sessions with the bridge: it carries messages between the node's relay and Ray's calls.

It asks nobody anything: the bridge calls. So a bridge that has gone costs nothing but time, and no call of
the agent can hang.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import platform
import threading
import time
from collections.abc import Callable
from typing import Any, Protocol

from cluster.carriage.outbox import Outbox
from cluster.carriage.parcels import CARRIAGE, Unpacker
from envspecs.code import code_digest
from envspecs.layout import home, state_directory
from protocol.cluster.bridge import AgentFacts
from protocol.errors import WireError
from protocol.schema import to_plain

__all__ = ["LOOK_EVERY_S", "UNHEARD_S", "Agent", "AgentRelay", "RayUpstream"]

UNHEARD_S = 10.0
"""No pull for so long: the bridge has gone, or the network between. The session ends here, too."""
LOOK_EVERY_S = 1.0

log = logging.getLogger(__name__)


class AgentRelay(Protocol):
    """What moves frames between the node's workers and the session; its methods return at once."""

    def begin_session(self) -> None:
        """Say NodeHello, and on NodeWelcome let the workers connect."""

    def end_session(self) -> None:
        """Let go of the workers, who look for a session again."""

    def deliver(self, frames: list[bytes]) -> None:
        """Take a message of the coordinator, for the node or for one of its workers."""

    def close(self) -> None:
        """End the relay."""


class RayUpstream:
    """The relay's way to the head: what it says waits here until the bridge pulls it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outbox = Outbox()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._arrived = asyncio.Event()
        self._is_awaited = False

    def send(self, frames: list[bytes]) -> None:
        """Keep the message for the next pull; any thread may call it, and never waits."""
        with self._lock:
            self._outbox.put(frames)
            wakes = self._is_awaited and (bool(self._outbox) or self._outbox.is_lost)
            if wakes:
                self._is_awaited = False
        if wakes and self._loop is not None:
            self._loop.call_soon_threadsafe(self._arrived.set)

    def renew(self) -> None:
        """Drop what waits: it belongs to a session that is over."""
        with self._lock:
            self._outbox = Outbox()

    @property
    def is_lost(self) -> bool:
        """Return whether something had to be dropped without which the session cannot go on."""
        return self._outbox.is_lost

    async def take(self, wait_s: float) -> bytes:
        """Return the next parcel as soon as there is one; empty where none comes in time."""
        self._loop = asyncio.get_running_loop()
        with self._lock:
            parcel = self._outbox.take()
            if parcel or self._outbox.is_lost:
                return parcel
            self._arrived.clear()
            self._is_awaited = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._arrived.wait()
        with self._lock:
            self._is_awaited = False
            return self._outbox.take()


class Agent:
    """What the bridge calls; `make_relay` is called once, with the way to the head."""

    def __init__(self, make_relay: Callable[[RayUpstream], AgentRelay], node: str, ray_version: str) -> None:
        self._upstream = RayUpstream()
        self._relay = make_relay(self._upstream)
        self._node = node
        self._ray_version = ray_version
        self._code = code_digest()
        self._session = 0
        self._is_live = False
        self._pulls = 0
        self._heard = time.monotonic()
        self._unpacker = Unpacker()
        self._watch: asyncio.Task[None] | None = None

    async def facts(self) -> dict[str, Any]:
        """Return the node's `AgentFacts` as plain values."""
        facts = AgentFacts(
            node=self._node,
            place=f"{home()} {state_directory()}",
            session=self._session,
            carriage=CARRIAGE,
            python=platform.python_version(),
            ray=self._ray_version,
            code=self._code,
        )
        return dict(to_plain(facts))

    async def pull(self, session: int, wait_ms: int) -> bytes | None:
        """Return the session's next parcel, empty where the node has nothing to say; None: it is over.

        A number above all earlier ones begins a session, and ends the one before.
        """
        if session > self._session:
            self._begin(session)
        if session != self._session or not self._is_live:
            return None
        self._pulls += 1
        try:
            parcel = await self._upstream.take(wait_ms / 1000)
        finally:
            self._pulls -= 1
            self._heard = time.monotonic()
        if session != self._session or not self._is_live:
            return None
        if self._upstream.is_lost:
            log.warning("session %d: too much waits for the head, it begins anew", session)
            self._end()
            return None
        return parcel

    async def push(self, session: int, parcel: bytes) -> bool:
        """Take a parcel of the coordinator's messages; False: the session is over."""
        if session != self._session or not self._is_live:
            return False
        try:
            messages = self._unpacker.feed(parcel)
        except WireError as error:
            log.warning("session %d: %s", session, error)
            self._end()
            return False
        for frames in messages:
            self._relay.deliver(frames)
        return True

    async def end(self, session: int) -> None:
        """End the session, if it is still this one."""
        if session == self._session and self._is_live:
            self._end()

    def _begin(self, session: int) -> None:
        if self._is_live:
            self._end()
        self._session = session
        self._is_live = True
        self._heard = time.monotonic()
        self._unpacker = Unpacker()
        self._upstream.renew()
        log.info("session %d begins", session)
        self._relay.begin_session()
        if self._watch is None:
            self._watch = asyncio.create_task(self._look_for_silence())

    def _end(self) -> None:
        log.info("session %d ends", self._session)
        self._is_live = False
        self._relay.end_session()

    async def _look_for_silence(self) -> None:
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            silent_s = time.monotonic() - self._heard
            if self._is_live and not self._pulls and silent_s >= UNHEARD_S:
                log.warning("session %d: nobody has asked for %.0f s", self._session, silent_s)
                self._end()
