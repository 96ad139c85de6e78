"""The bridge: the thread that owns the connections, and the one that asks Ray what takes a while.

`sessions` and `joining` decide; here is what they decide upon and what they want done.
"""

from __future__ import annotations

import logging
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from cluster.bridge import sessions
from cluster.bridge.fleet import Answered, Fleet, FleetError
from cluster.bridge.joining import Claim, RayNode, changes, other_code, why_refused
from cluster.bridge.sessions import Following
from cluster.bridge.sockets import Sockets
from cluster.carriage.parcels import PARCEL_BYTES, Packer, Unpacker
from protocol.clock import now_iso
from protocol.cluster.bridge import (
    BRIDGE_LOST,
    AgentFacts,
    BridgeReport,
    NodeReport,
    write_bridge,
)
from protocol.endpoints import worker_endpoint
from protocol.errors import SchemaError, WireError
from protocol.schema import from_plain

__all__ = ["Bridge"]

_TICK_MS = 500
_LIST_EVERY_S = 1.0
_LOST_MS = 10_000
"""Ray has said nothing about its nodes for so long: its connection is lost."""

log = logging.getLogger(__name__)


@dataclass
class _Node:
    """A node that is followed, and what is on its way to and from it in this session."""

    known: RayNode
    following: Following
    since: str = field(default_factory=now_iso)
    place: str = ""
    warned: str = ""
    outgoing: Packer = field(default_factory=Packer)
    incoming: Unpacker = field(default_factory=Unpacker)
    is_pushing: bool = False

    def renew(self) -> None:
        """Forget what was on its way: another session begins."""
        self.outgoing, self.incoming, self.is_pushing = Packer(), Unpacker(), False


class Bridge:
    """Follows the nodes that `fleet` knows, in the name of the head at `runtime`."""

    def __init__(self, runtime: Path, fleet: Fleet, head: AgentFacts) -> None:
        self._runtime = runtime
        self._fleet = fleet
        self._head = head
        self._sockets = Sockets(worker_endpoint(runtime))
        self._nodes: dict[str, _Node] = {}
        self._inbox: deque[Callable[[], None]] = deque()
        self._errands: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._listed_ms = _now_ms()
        self._is_stopping = False
        self._lost = ""
        self._written: Mapping[str, NodeReport] | None = None

    def stop(self) -> None:
        """End `serve`; a signal's handler may call it."""
        self._is_stopping = True
        self._sockets.wake()

    def serve(self) -> int:
        """Follow the nodes until told to stop; return the exit code, `BRIDGE_LOST` where Ray has gone."""
        threading.Thread(target=self._ask_ray, name="ray", daemon=True).start()
        ticked_ms = 0
        while not (self._is_stopping or self._lost):
            for happened in self._sockets.wait(_TICK_MS):
                self._react(happened.node, happened.what)
            while self._inbox:
                self._inbox.popleft()()
            if _now_ms() - ticked_ms >= _TICK_MS:
                ticked_ms = _now_ms()
                self._tick(ticked_ms)
                self._write_report()
        return self._leave()

    def _leave(self) -> int:
        for node in self._nodes.values():
            if node.following.phase == "connected" and not self._lost:
                self._call(node.known.id, "end", (node.following.session,), _ignore)
        self._sockets.destroy()
        if self._lost:
            log.error("the connection to Ray is lost: %s", self._lost)
            return BRIDGE_LOST
        return 0

    # --- the thread that asks Ray -------------------------------------------------------------------

    def _ask_ray(self) -> None:
        """Ask for the nodes every second, and do errands meanwhile; Ray may take its time for each."""
        listed_at = 0.0
        while not self._is_stopping:
            try:
                if time.monotonic() - listed_at >= _LIST_EVERY_S:
                    listed_at = time.monotonic()
                    nodes = self._fleet.nodes()
                    self._later(partial(self._take_list, nodes))
                self._errands.get(timeout=max(0.0, listed_at + _LIST_EVERY_S - time.monotonic()))()
            except queue.Empty:
                continue
            except FleetError as error:
                self._later(partial(self._lose, str(error)))
                return

    def _later(self, action: Callable[[], None]) -> None:
        """Have the thread that owns the connections do this."""
        self._inbox.append(action)
        self._sockets.wake()

    # --- the thread that owns the connections -------------------------------------------------------

    def _lose(self, reason: str) -> None:
        self._lost = reason

    def _take_list(self, listed: Sequence[RayNode]) -> None:
        self._listed_ms = _now_ms()
        found = changes(listed, self._nodes)
        for gone in found.gone:
            node = self._nodes.pop(gone)
            self._sockets.close(gone)
            self._errands.put(partial(self._fleet.forget_agent, gone))
            log.info("%s has gone from the cluster", node.following.shown)
        for new in found.new:
            following, actions = sessions.begin(new.address, _now_ms())
            self._nodes[new.id] = _Node(known=new, following=following)
            self._step(self._nodes[new.id], (following, actions))

    def _tick(self, now_ms: int) -> None:
        if now_ms - self._listed_ms >= _LOST_MS:
            self._lose(f"no answer for {_LOST_MS // 1000} s")
            return
        for node in list(self._nodes.values()):
            self._step(node, sessions.on_tick(node.following, now_ms))

    def _react(self, key: str, what: str) -> None:
        node = self._nodes[key]
        if what == "connected":
            node.renew()
            self._step(node, sessions.on_connected(node.following, _now_ms()))
        elif what == "disconnected":
            self._break(node, node.following.session, "the coordinator has closed the connection")
        elif not node.is_pushing:
            self._push(node)

    def _step(self, node: _Node, following: sessions.Next) -> None:
        """Take over what was decided about the node, and do it."""
        after, actions = following
        if after.phase != node.following.phase:
            node.since = now_iso()
        node.following = after
        for action in actions:
            self._do(node, action)

    def _do(self, node: _Node, action: sessions.Action) -> None:
        key = node.known.id
        match action:
            case sessions.Ask():
                self._errands.put(partial(self._ask_agent, key))
            case sessions.Open(name=name):
                self._sockets.open(key, name)
            case sessions.Close():
                self._sockets.close(key)
            case sessions.Pull(session=session):
                arguments = (session, sessions.PULL_WAIT_MS)
                self._call(key, "pull", arguments, partial(self._on_pulled, key, session))
            case sessions.End(session=session):
                self._call(key, "end", (session,), _ignore)
            case sessions.Say(sentence=sentence, is_warning=is_warning):
                log.log(logging.WARNING if is_warning else logging.INFO, "%s", sentence)

    def _ask_agent(self, key: str) -> None:
        """Errand: have an agent on the node, and ask it."""
        self._fleet.ensure_agent(key)
        self._call(key, "facts", (), partial(self._on_facts, key))

    def _call(self, key: str, method: str, arguments: tuple[Any, ...], then: Answered) -> None:
        def answered(answer: Any, reason: str) -> None:
            self._later(partial(then, answer, reason))

        self._fleet.call(key, method, arguments, answered)

    def _on_facts(self, key: str, answer: Any, reason: str) -> None:
        node = self._nodes.get(key)
        if node is None:
            return
        try:
            facts = from_plain(AgentFacts, answer) if not reason else None
        except SchemaError as error:
            facts, reason = None, str(error)
        if facts is None:
            self._step(node, sessions.on_no_facts(node.following, reason, _now_ms()))
            return
        problem = why_refused(node.known, facts, self._head, self._claims())
        if not problem:
            self._take_name(node, facts)
        self._step(node, sessions.on_facts(node.following, facts, problem, _now_ms()))

    def _claims(self) -> dict[str, Claim]:
        """Return who takes part, by name."""
        return {
            node.following.name: Claim(id=node.known.id, address=node.known.address, place=node.place)
            for node in self._nodes.values()
            if node.place
        }

    def _take_name(self, node: _Node, facts: AgentFacts) -> None:
        """Give the node its name, from an earlier self that Ray still takes for alive, if there is one."""
        node.place = facts.place
        for other in self._nodes.values():
            if other is not node and other.place and other.following.name == facts.node:
                other.place = ""
                sentence = f"{facts.node} has come back as another node."
                self._step(other, sessions.on_superseded(other.following, sentence, _now_ms()))
        if (warning := other_code(facts, self._head)) and not node.warned:
            log.warning("%s", warning)
        node.warned = warning

    def _on_pulled(self, key: str, session: int, answer: Any, reason: str) -> None:
        node = self._nodes.get(key)
        if node is None or session != node.following.session:
            return
        if reason or answer is None:
            self._break(node, session, reason or "its agent has ended it")
            return
        # First the next pull, which takes its time, then what came with this one.
        self._step(node, sessions.on_pulled(node.following, session, _now_ms()))
        try:
            messages = node.incoming.feed(answer) if answer else []
        except WireError as error:
            self._break(node, session, str(error))
            return
        for frames in messages:
            if not self._sockets.send(key, frames):
                self._break(node, session, "the coordinator takes nothing more")
                return

    def _break(self, node: _Node, session: int, reason: str) -> None:
        self._step(node, sessions.on_broken(node.following, session, reason, _now_ms()))

    def _push(self, node: _Node) -> None:
        """Give the agent what the coordinator says; the next parcel follows when it has taken this one."""
        key = node.known.id
        while node.outgoing.size < PARCEL_BYTES and (frames := self._sockets.receive(key)) is not None:
            node.outgoing.put(frames)
        parcel = node.outgoing.take()
        node.is_pushing = bool(parcel)
        self._sockets.listen(key, to_it=not node.is_pushing)
        if parcel:
            session = node.following.session
            self._call(key, "push", (session, parcel), partial(self._on_pushed, key, session))

    def _on_pushed(self, key: str, session: int, answer: Any, reason: str) -> None:
        node = self._nodes.get(key)
        if node is None or session != node.following.session or node.following.phase != "connected":
            return
        if reason or answer is not True:
            self._break(node, session, reason or "its agent has ended it")
            return
        self._push(node)

    def _write_report(self) -> None:
        """Write `cluster.json` where something of it has changed."""
        nodes = {key: _report(node) for key, node in self._nodes.items()}
        if nodes != self._written:
            self._written = nodes
            write_bridge(self._runtime, BridgeReport(pid=os.getpid(), at=now_iso(), nodes=nodes))


def _report(node: _Node) -> NodeReport:
    following = node.following
    return NodeReport(
        address=node.known.address,
        name=following.name,
        state=following.phase,
        since=node.since,
        session=following.session,
        problem=following.problem or node.warned,
    )


def _ignore(_answer: Any, _reason: str) -> None:
    """Nothing follows from the answer."""


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
