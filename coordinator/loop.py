"""The coordinator's loop: each turn takes the messages that have arrived and does what follows from them."""

from __future__ import annotations

import logging
import time
from functools import partial
from pathlib import Path
from typing import Any

import envspecs
from coordinator.house_health import HouseHealth
from coordinator.link import Arrival, Echo, Gone, Link, Malformed
from coordinator.nodes.desk import NodeDesk
from coordinator.nodes.door import door_here
from coordinator.nodes.houses import Houses
from coordinator.nodes.logs import NodeLogs
from coordinator.nodes.nodes import Nodes
from coordinator.nodes.placing import key_at_head
from coordinator.refusals import Refusals, find_mismatch
from coordinator.reload import Replacing
from coordinator.requests import Requests
from coordinator.running import reuse
from coordinator.running.cores import CoreShares
from coordinator.running.dispatch import Dispatcher
from coordinator.running.memory import WorkerMemory
from coordinator.running.roster import Member, Roster
from coordinator.store.backups import StoreWatch
from coordinator.store.store import Store
from coordinator.watching import Watch
from protocol.clock import now_iso
from protocol.cluster.logs import LogQuery, LogReport
from protocol.cluster.messages import NodeHello
from protocol.cluster.names import node_at, node_id, node_of
from protocol.errors import CpwError, WireError, info_from_error
from protocol.failpoints import reach
from protocol.frames import Header
from protocol.messages import (
    CallIdentity,
    Drain,
    Failure,
    Hello,
    Progress,
    Refused,
    Reject,
    Result,
    State,
    Submitted,
    Unload,
    Welcome,
)
from protocol.supervisor import BEAT_EVERY_S, Beat

__all__ = ["Coordinator"]

log = logging.getLogger(__name__)

TURN_MS = 250
IDLE_TURN_MS = 1_000
_START_TIMEOUT_S = 300.0


class Coordinator:
    """The parts of the daemon and the loop that moves them. One thread uses all of it.

    `control` is the pipe to the supervisor, None where there is no supervisor. `roster`, `dispatcher`, `link`
    and `memory` are open to whoever turns the loop by hand.
    """

    def __init__(
        self,
        runtime: Path,
        store: Store,
        control: int | None,
        memory: WorkerMemory | None = None,
        cores: CoreShares | None = None,
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._store_watch = StoreWatch(store)
        self._run = store.next_epoch()
        reach("coordinator.boot.epoch-counted")
        self.roster = Roster()
        self._refusals = Refusals()
        self.nodes = Nodes()
        self.link = Link(runtime)
        reach("coordinator.boot.bound")
        self.dispatcher = Dispatcher(store, self.link, self.roster, self._run, cores, self.nodes)
        self._houses = Houses(runtime, control, self.nodes, self._send_to_node)
        self.watch = Watch(store, self.link, self.dispatcher, self.roster, self.nodes, self._houses)
        self._desk = NodeDesk(
            self.nodes,
            self._send_to_node,
            partial(door_here, runtime, store.path.parent),
            self._on_gone,
            store.path.parent,
        )
        self.memory = memory or WorkerMemory()
        self._replacing = Replacing(runtime, self.roster, self._houses.command, self._send_to_worker)
        self.watch.look_elsewhere = self._replacing.look
        health = HouseHealth(runtime, store, self.roster, self.dispatcher, self.memory, self.nodes)
        self._requests = Requests(
            runtime, store, self.roster, self.dispatcher, replacing=self._replacing, health=health
        )
        self._node_logs = NodeLogs(self.nodes, self._send_to_node, self._to_client)
        self._beat_again_s = time.monotonic()
        self._start_timeouts = {spec.name: spec.limits.start_timeout_s for spec in envspecs.read_all()}
        self._draining = False
        self._told_to_drain = False
        store.revive_waiting()
        reach("coordinator.boot.waiting-revived")

    def drain(self) -> None:
        """Send no more calls; `serve` ends when no worker is left. Safe in a signal handler.

        It takes no lock, because the interrupted line may hold it. The loop sees the flag in its next turn.
        """
        self._draining = True

    def serve(self) -> None:
        """Turn until drained."""
        log.info("run %s: %d steps wait for their workers to say hello", self._run, self.watch.unclaimed())
        while self.turn(IDLE_TURN_MS if self._is_idle() else TURN_MS):
            pass
        self.close()

    def _is_idle(self) -> bool:
        """Return whether nothing but an event can give this loop anything to do."""
        idle = all(member.free() for member in self.roster.members.values())
        return idle and self.watch.is_idle() and not (self._draining or self.dispatcher.has_delayed())

    def close(self) -> None:
        """Wait for the files that are being accepted, then close the sockets."""
        self.dispatcher.close()
        self.link.close()

    def turn(self, timeout_ms: int) -> bool:
        """Wait for events at most `timeout_ms`, do what follows; tell whether the loop goes on."""
        events = list(self.link.wait(timeout_ms))
        # Each request is a commit of its own: its answer does not depend on the other events.
        for event in events:
            if isinstance(event, Arrival) and event.side == "c":
                self._on_client(event)
        now_s = time.monotonic()
        self._store_watch.look(now_s)
        self._requests.look(now_s)
        self._node_logs.look(now_s)
        self._beat(now_s)
        with self.dispatcher.together(now_s):
            for event in events:
                self._on_event(event)
            self.dispatcher.finish_accepted(now_s)
            self._refusals.sum_up(now_s)
            self.watch.look(now_s, draining=self._draining)
            self._desk.tell_planning()
            if not self._draining:
                self.dispatcher.send_ready(now_s)
                self._desk.offer(self.dispatcher.pairing.lacking)
                self._spare_memory(now_s)
            self.dispatcher.share_cores()
        if not self._draining:
            return True
        if not self._told_to_drain:
            self._told_to_drain = True
            for member in self.roster.here():
                self._send_to_worker(member.name.encode(), Drain())
            reach("coordinator.drain.told")
        # Workers on nodes go on, and keep what they have done for the next coordinator.
        return bool(self.roster.here()) or self.dispatcher.is_accepting()

    def _on_event(self, event: Arrival | Echo | Malformed) -> None:
        match event:
            case Echo(worker=worker):
                member = self.roster.members.get(worker)
                if member is not None:
                    member.echoed_s = time.monotonic()
            case Malformed():
                self._refuse_malformed(event)
            case Arrival(side="w"):
                self._on_worker_or_node(event)

    # nodes

    def _on_worker_or_node(self, arrival: Arrival) -> None:
        name = node_at(arrival.peer)
        if name:
            if isinstance(arrival.message, LogReport):
                self._node_logs.hear(name, arrival.header, arrival.message)
            hello = arrival.message
            if isinstance(hello, NodeHello) and self.nodes.repeats(name, hello) is None:
                # Its workers' connections have ended too: they say hello again, with what they hold.
                self.watch.lose_node(name, "it begins a new session", time.monotonic())
            self._desk.hear(name, arrival.message, time.monotonic())
            self._drain_leaving()
            return
        node = node_of(arrival.peer.decode("ascii", "replace"))
        if node and node not in self.nodes.present:
            # It was taken for lost: its workers say hello again, with what they hold, in its next session.
            self._desk.ask_again(node, time.monotonic())
            return
        self._on_worker(arrival)

    def _drain_leaving(self) -> None:
        """Let the workers of nodes that leave end their calls, and give them no more."""
        leaving = self.nodes.leaving()
        for member in list(self.roster.members.values()) if leaving else ():
            if member.node in leaving and not member.leaving:
                member.leaving = True
                self._send_to_worker(member.name.encode(), Drain())

    def _send_to_node(self, name: str, message: Any, request: str = "") -> bool:
        """Send to a node, and tell whether it is there."""
        try:
            self.link.send("w", node_id(name), Header(run=self._run, request=request), message)
        except Gone:
            log.info("the node %s left before %s could be sent", name, type(message).__name__)
            return False
        return True

    def _on_gone(self, worker: str) -> None:
        member = self.roster.members.get(worker)
        if member is not None:
            self.watch.on_gone(member, time.monotonic())

    # workers

    def _on_worker(self, arrival: Arrival) -> None:
        header, message = arrival.header, arrival.message
        identity = CallIdentity(job=header.job, step=header.step, attempt=header.attempt, run=header.run)
        if isinstance(message, Hello):
            self._on_hello(arrival.peer, message)
            return
        member = self.roster.members.get(arrival.peer.decode("ascii", "replace"))
        if member is None:
            return  # it has not said hello in this run; after Welcome it repeats what matters
        match message:
            case State():
                self._on_state(member, message)
            case Progress(fraction=fraction) if member.hear(identity, message):
                self.dispatcher.progress.note(identity, fraction, time.monotonic())
            case Result():
                self._replacing.prove(member)
                self.dispatcher.on_result(identity, message, arrival.peer)
            case Failure():
                self.dispatcher.on_failure(identity, message, arrival.peer, time.monotonic())

    def _on_hello(self, peer: bytes, hello: Hello) -> None:
        reach("coordinator.hello.received")
        problem = find_mismatch(hello, peer)
        if problem is not None:
            self._refusals.add(time.monotonic(), "%.80s: %s", hello.worker, problem.message)
            self._send_to_worker(peer, Reject(reason=problem))
            return
        member = self.roster.admit(
            hello, time.monotonic(), now_iso(), self._start_timeouts.get(hello.environment, _START_TIMEOUT_S)
        )
        if (node := self.nodes.of(member.name)) is not None:
            member.build = key_at_head(node, member.environment) or member.build
        log.info("%s says hello: %s", member.name, member.state)
        reuse.forget()
        reach("coordinator.hello.admitted")
        self._send_to_worker(peer, Welcome())
        reach("coordinator.hello.welcomed")
        member.interrupted = list(hello.unacknowledged)
        held = member.calls()
        for identity in held:
            if self._store.current(identity) is None:
                self.dispatcher.cancel_call(peer, identity)
        self.watch.reclaim(member, held, time.monotonic())
        if self._draining and not member.node:
            self._send_to_worker(peer, Drain())

    def _on_state(self, member: Member, state: State) -> None:
        # Until a worker has read its call it still says ready; the roster knows that it is busy.
        if member.call is None or state.state != "ready":
            member.state = state.state
        if state.rss_bytes:
            member.rss_bytes, member.models = state.rss_bytes, state.models
            member.calls_done = state.calls_done

    def _spare_memory(self, now_s: float) -> None:
        """Ask idle workers to unload models where all workers together take more memory than allowed."""
        members = list(self.roster.members.values())
        for name, keys in self.memory.look(members, now_s, self.nodes.budgets()).items():
            self._send_to_worker(name.encode(), Unload(keys=keys))

    def _beat(self, now_s: float) -> None:
        """Tell the supervisor that the loop turns: it kills one that does not."""
        if now_s >= self._beat_again_s:
            self._beat_again_s = now_s + BEAT_EVERY_S
            self._houses.command(Beat(run=self._run))

    def _send_to_worker(self, peer: bytes, message: Welcome | Reject | Drain | Unload) -> None:
        try:
            self.link.send("w", peer, Header(run=self._run), message)
        except Gone:
            log.info("%r left before %s could be sent", peer, type(message).__name__)

    # clients

    def _on_client(self, arrival: Arrival) -> None:
        self.dispatcher.settle()
        try:
            if isinstance(arrival.message, LogQuery):
                self._node_logs.ask(arrival.peer, arrival.header, arrival.message, time.monotonic())
                return
            answer = self._requests.answer(arrival.message)
        except CpwError as error:
            answer = Refused(error=info_from_error(error))
        # Whatever goes wrong with one request (a NUL in a path, bytes for a number, a full disk) is the
        # answer to that request. It does not end the work of all others.
        except Exception as error:
            log.exception("a request failed")
            answer = Refused(error=info_from_error(error))
        self._to_client(arrival.peer, arrival.header, answer)
        if isinstance(answer, Submitted):
            reach("coordinator.submit.answered")

    def _to_client(self, peer: bytes, header: Header, message: Any, version: bytes | None = None) -> None:
        try:
            self.link.send("c", peer, Header(run=self._run, request=header.request), message, version)
        except Gone:
            log.info("a client left before its answer")
        except WireError as error:
            log.warning("an answer cannot be sent: %s", error)
            self._to_client(peer, header, Refused(error=info_from_error(error)), version)

    def _refuse_malformed(self, event: Malformed) -> None:
        """Tell the peer what is wrong, in its own wire version where only the version differs."""
        self._refusals.add(time.monotonic(), "a message on socket %s: %s", event.side, event.error)
        if event.side == "c":
            refused = Refused(error=info_from_error(event.error))
            self._to_client(event.peer, Header(), refused, event.peer_version)
        elif event.peer_version is not None:
            try:
                reject = Reject(reason=info_from_error(event.error))
                self.link.send("w", event.peer, Header(run=self._run), reject, event.peer_version)
            except Gone:
                log.info("%r left before it was refused", event.peer)
        elif event.type in ("Result", "Failure"):
            member = self.roster.members.get(event.peer.decode("ascii", "replace"))
            if member is not None and member.call is not None:
                # Without an end, the worker would count as busy and its step as running for ever.
                failure = Failure(error=info_from_error(event.error), duration_ms=0)
                self.dispatcher.on_failure(member.call, failure, event.peer, time.monotonic())
