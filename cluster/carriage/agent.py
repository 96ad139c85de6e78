"""A node's end of the sessions with the bridge: it carries messages between the node's relay and Ray's calls.

It asks nobody anything: the bridge calls. So a bridge that has gone costs nothing but time, and no call of
the agent can hang.
"""

from __future__ import annotations

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
        self._changed = threading.Condition()
        self._outbox = Outbox()

    def send(self, frames: list[bytes]) -> None:
        """Keep the message for the next pull; any thread may call it, and never waits."""
        with self._changed:
            self._outbox.put(frames)
            if self._outbox or self._outbox.is_lost:
                self._changed.notify_all()

    def renew(self) -> Outbox:
        """Return the outbox of another session; who waits for that of the last one is answered."""
        with self._changed:
            self._outbox = Outbox()
            self._changed.notify_all()
            return self._outbox

    def take(self, outbox: Outbox, wait_s: float) -> tuple[bytes, bool]:
        """Return the session's next parcel as soon as there is one, empty where none comes in time.

        True beside it: something had to be dropped without which the session cannot go on.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: outbox or outbox.is_lost or self._outbox is not outbox, timeout=wait_s
            )
            return outbox.take(), outbox.is_lost


class Agent:
    """What the bridge calls, on several threads at once: a pull that waits holds up no push.

    `make_relay` is called once, with the way to the head.
    """

    def __init__(self, make_relay: Callable[[RayUpstream], AgentRelay], node: str, ray_version: str) -> None:
        self._upstream = RayUpstream()
        self._relay = make_relay(self._upstream)
        self._node = node
        self._ray_version = ray_version
        self._code = code_digest()
        self._lock = threading.RLock()
        self._session = 0
        self._is_live = False
        self._pulls = 0
        self._heard_s = time.monotonic()
        self._unpacker = Unpacker()
        self._outbox = self._upstream.renew()
        threading.Thread(target=self._look_for_silence, name="silence", daemon=True).start()

    def facts(self) -> dict[str, Any]:
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

    def pull(self, session: int, wait_ms: int) -> bytes | None:
        """Return the session's next parcel, empty where the node has nothing to say; None: it is over.

        A number above all earlier ones begins a session, and ends the one before.
        """
        with self._lock:
            if session > self._session:
                self._begin(session)
            if not self._goes_on(session):
                return None
            self._pulls += 1
            outbox = self._outbox
        try:
            parcel, is_lost = self._upstream.take(outbox, wait_ms / 1000)
        finally:
            with self._lock:
                self._pulls -= 1
                self._heard_s = time.monotonic()
        with self._lock:
            if is_lost and self._goes_on(session):
                log.warning("session %d: too much waits for the head, it begins anew", session)
                self._end()
            return parcel if self._goes_on(session) else None

    def push(self, session: int, parcel: bytes) -> bool:
        """Take a parcel of the coordinator's messages; False: the session is over."""
        with self._lock:
            if not self._goes_on(session):
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

    def end(self, session: int) -> None:
        """End the session, if it is still this one."""
        with self._lock:
            if self._goes_on(session):
                self._end()

    def _goes_on(self, session: int) -> bool:
        return self._is_live and session == self._session

    def _begin(self, session: int) -> None:
        if self._is_live:
            self._end()
        self._session = session
        self._is_live = True
        self._heard_s = time.monotonic()
        self._unpacker = Unpacker()
        self._outbox = self._upstream.renew()
        log.info("session %d begins", session)
        self._relay.begin_session()

    def _end(self) -> None:
        log.info("session %d ends", self._session)
        self._is_live = False
        self._upstream.renew()
        self._relay.end_session()

    def _look_for_silence(self) -> None:
        while True:
            time.sleep(LOOK_EVERY_S)
            with self._lock:
                silent_s = time.monotonic() - self._heard_s
                if self._is_live and not self._pulls and silent_s >= UNHEARD_S:
                    log.warning("session %d: nobody has asked for %.0f s", self._session, silent_s)
                    self._end()
