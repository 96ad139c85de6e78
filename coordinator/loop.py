"""The coordinator's loop: messages in, store and dispatcher moved, one turn after the other."""

from __future__ import annotations

import json
import logging
import os
import time
from pathlib import Path
from typing import Any

import psutil

import envspecs
from coordinator.health import last_exit
from coordinator.link import Arrival, Echo, Gone, Link, Malformed
from coordinator.refusals import Refusals
from coordinator.reload import Replacing
from coordinator.requests import Reception
from coordinator.running import reuse
from coordinator.running.dispatch import Dispatcher
from coordinator.running.memory import HouseMemory
from coordinator.running.roster import Member, Roster
from coordinator.store.store import Store
from protocol import OLDEST_SUPPORTED_VERSION, PROTOCOL_VERSION
from protocol.clock import now_iso
from protocol.errors import CpwError, ErrorInfo, ErrorKind, WireError, WorkerExit, info_from_error
from protocol.failpoints import reach
from protocol.frames import Header
from protocol.job_changes import ReloadEnvironment
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
from protocol.stages import STAGES

__all__ = ["Coordinator"]

log = logging.getLogger(__name__)

TURN_MS = 250
PING_EVERY_S = 0.25
_ECHO_CONNECTS_WITHIN_S = 1.0
_START_TIMEOUT_S = 300.0
_STOOD_STILL_S = 2.0
"""A loop that did not turn for this long (stopped, a slow disk) has not heard the workers' echoes."""
_RECORDED_WITHIN_S = 2.0
"""The supervisor writes an exit down some 0.1 s after it; where there is none, nobody waits for long."""
GRACE_S = 15.0
"""How long after a start a step that is said to run may wait for its worker to say hello."""


class Coordinator:
    """Truth in the store, workers in the roster, people at the client socket."""

    def __init__(
        self, runtime: Path, store: Store, control: int | None, memory: HouseMemory | None = None
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._control = control
        self._run = store.next_epoch()
        reach("coordinator.boot.epoch-counted")
        self._roster = Roster()
        self._refusals = Refusals()
        self._link = Link(runtime)
        reach("coordinator.boot.bound")
        self._dispatcher = Dispatcher(store, self._link, self._roster, self._run)
        self._begun_s = time.monotonic()
        self._memory = memory or HouseMemory()
        self._reception = Reception(store, self._roster, self._dispatcher, runtime, self._run, self._memory)
        self._replacing = Replacing(runtime, self._roster, self._order, self._to_worker)
        self._pinged_s = self._begun_s
        self._dead: list[tuple[Member, float]] = []
        self._start_timeouts = {spec.name: spec.limits.start_timeout_s for spec in envspecs.read_all()}
        self._draining = False
        self._told_to_drain = False
        self._orphans = {step.identity: step for step in store.running_steps()}
        store.revive_waiting()
        reach("coordinator.boot.waiting-revived")

    def drain(self) -> None:
        """Send nothing more; `serve` ends when no worker runs anything. Safe in a signal handler.

        It takes no lock, which the interrupted line may hold: the loop looks up by itself.
        """
        self._draining = True

    def serve(self) -> None:
        """Turn until drained."""
        log.info("run %s, %d steps to be reclaimed", self._run, len(self._orphans))
        while self.turn(TURN_MS):
            pass
        self.close()

    def close(self) -> None:
        """Wait for the files that are being taken in, then let go of the sockets."""
        self._dispatcher.close()
        self._link.close()

    def turn(self, timeout_ms: int) -> bool:
        """Wait for events at most `timeout_ms`, do what follows; tell whether there is more to come."""
        events = list(self._link.wait(timeout_ms))
        # A person's wish is a commit of its own: it is answered by itself, whatever becomes of the rest.
        for event in events:
            if isinstance(event, Arrival) and event.side == "c":
                self._on_client(event)
        now_s = time.monotonic()
        with self._dispatcher.together(now_s):
            for event in events:
                self._on_event(event)
            self._dispatcher.finish_settled(now_s)
            self._refusals.settle(now_s)
            self._look_at_workers(now_s)
            if not self._draining:
                self._dispatcher.send_ready(now_s)
                self._spare_memory(now_s)
        if not self._draining:
            return True
        if not self._told_to_drain:
            self._told_to_drain = True
            for member in self._roster.members.values():
                self._to_worker(member.name.encode(), Drain())
            reach("coordinator.drain.told")
        return bool(self._roster.members) or self._dispatcher.settling()

    def _on_event(self, event: Arrival | Echo | Malformed) -> None:
        match event:
            case Echo(worker=worker):
                member = self._roster.members.get(worker)
                if member is not None:
                    member.echoed_s = time.monotonic()
            case Malformed():
                self._refuse_malformed(event)
            case Arrival(side="w"):
                self._on_worker(event)

    # workers

    def _on_worker(self, arrival: Arrival) -> None:
        header, message = arrival.header, arrival.message
        identity = CallIdentity(job=header.job, step=header.step, attempt=header.attempt, run=header.run)
        if isinstance(message, Hello):
            self._on_hello(arrival.peer, message)
            return
        member = self._roster.members.get(arrival.peer.decode("ascii", "replace"))
        if member is None:
            return  # it has not said hello in this run; what matters it says again after Welcome
        match message:
            case State():
                self._on_state(member, message)
            case Progress(fraction=fraction) if member.call == identity:
                # NaN is neither more nor less than anything: it becomes 0.
                self._dispatcher.progress[identity.job, identity.step] = min(1.0, max(0.0, fraction))
            case Result():
                self._replacing.prove(member)
                self._dispatcher.on_result(identity, message, arrival.peer)
            case Failure():
                self._dispatcher.on_failure(identity, message, arrival.peer, time.monotonic())

    def _on_hello(self, peer: bytes, hello: Hello) -> None:
        reach("coordinator.hello.received")
        problem = _find_mismatch(hello, peer)
        if problem is not None:
            self._refusals.say(time.monotonic(), "%.80s: %s", hello.worker, problem.message)
            self._to_worker(peer, Reject(reason=problem))
            return
        member = self._roster.admit(
            hello, time.monotonic(), now_iso(), self._start_timeouts.get(hello.environment, _START_TIMEOUT_S)
        )
        log.info("%s says hello: %s", member.name, member.state)
        reuse.forget()
        reach("coordinator.hello.admitted")
        self._to_worker(peer, Welcome())
        reach("coordinator.hello.welcomed")
        held = {hello.busy_with, *hello.unacknowledged}
        if hello.busy_with is not None and self._store.current(hello.busy_with) is None:
            self._dispatcher.cancel_call(peer, hello.busy_with)
        for step in self._store.running_steps():
            mine = step.worker == member.name
            if mine and step.identity in held:
                self._orphans.pop(step.identity, None)
            elif (mine and step.identity not in held) or self._is_replaced(step, member):
                # The call was lost on its way, or the worker that had it is of the past.
                self._orphans.pop(step.identity, None)
                self._dispatcher.lose(step, time.monotonic())
                reach("coordinator.hello.reclaimed")
        if self._draining:
            self._to_worker(peer, Drain())

    def _is_replaced(self, step: Any, member: Member) -> bool:
        """Tell whether `member` has taken the place of the worker that the step was given to."""
        return (
            step.environment == member.environment
            and step.identity in self._orphans
            and step.worker not in self._roster.members
        )

    def _on_state(self, member: Member, state: State) -> None:
        # Between sending a call and its first beat the worker still says ready; the roster knows better.
        if member.call is None or state.state != "ready":
            member.state = state.state
        if state.rss_bytes:
            member.rss_bytes, member.models = state.rss_bytes, state.models
            member.calls_done = state.calls_done

    def _look_at_workers(self, now_s: float) -> None:
        if now_s - self._pinged_s >= PING_EVERY_S:
            if now_s - self._pinged_s > _STOOD_STILL_S:
                log.warning(
                    "stood still for %.0f s: silence in that time is not held against workers",
                    now_s - self._pinged_s,
                )
                self._roster.forgive(now_s)
            self._pinged_s = now_s
            for member in list(self._roster.members.values()):
                self._ping(member, now_s)
            self._replacing.look()
        self._mourn(now_s)
        for member in self._roster.newly_silent(now_s):
            self._doom(member, "no echo")
        for member in self._roster.newly_late(now_s):
            self._doom(member, f"still {member.state}")
        if self._orphans and now_s - self._begun_s > GRACE_S:
            for step in self._orphans.values():
                self._dispatcher.lose(step, now_s)
            self._orphans.clear()

    def _spare_memory(self, now_s: float) -> None:
        """Have models let go of where the house takes more than it may, by those who have nothing to do."""
        for name, keys in self._memory.look(list(self._roster.members.values()), now_s).items():
            self._to_worker(name.encode(), Unload(keys=keys))

    def _doom(self, member: Member, reason: str) -> None:
        log.warning("%s: %s; the supervisor is asked to kill it", member.name, reason)
        member.doomed = True
        self._order({"kill": member.environment, "pid": member.pid, "reason": reason})

    def _ping(self, member: Member, now_s: float) -> None:
        try:
            self._link.ping(member.pulse, b"%d" % round(now_s * 1000))
        except Gone:
            # Its first ping may come before its echo socket has connected.
            if now_s - member.met_s < _ECHO_CONNECTS_WITHIN_S:
                return
            # Only a connection has broken: it comes back, or silence ends the process.
            if _is_alive(member.pid):
                return
            log.warning("%s has left", member.name)
            self._roster.dismiss(member.name)
            reach("coordinator.worker.left")
            self._dead.append((member, now_s))

    def _mourn(self, now_s: float) -> None:
        """Conclude the calls of dead workers, once the supervisor has written down what they died of."""
        waiting = []
        for member, left_s in self._dead:
            gone = last_exit(self._runtime, member.environment)
            known = str(gone.get("at", "")) > member.met_at
            if not (known or self._draining or member.leaving or now_s - left_s > _RECORDED_WITHIN_S):
                waiting.append((member, left_s))
                continue
            for step in self._store.running_steps():
                if step.worker == member.name:
                    # A worker that was told to go is not killed by its film, nor by one it had not begun.
                    # Who drains by itself has ended its call, and makes room for a new process.
                    made_room = known and gone.get("code") == WorkerExit.RECYCLED
                    told_to_go = member.leaving or member.state == "draining"
                    innocent = made_room or told_to_go or step.identity == member.ahead
                    spared = self._draining or innocent
                    blame = None if spared else gone if known else {}
                    self._dispatcher.lose(step, now_s, blame)
                    reach("coordinator.worker.mourned")
                    if blame:
                        self._order({"forgive": member.environment})
        self._dead = waiting

    def _order(self, order: dict[str, Any]) -> None:
        """Ask the supervisor; see its `_obey_orders`."""
        if self._control is not None:
            os.write(self._control, (json.dumps(order) + "\n").encode())

    def _to_worker(self, peer: bytes, message: Welcome | Reject | Drain | Unload) -> None:
        try:
            self._link.send("w", peer, Header(run=self._run), message)
        except Gone:
            log.info("%r left before it heard %s", peer, type(message).__name__)

    # clients

    def _on_client(self, arrival: Arrival) -> None:
        try:
            wish = arrival.message
            reload = isinstance(wish, ReloadEnvironment)
            answer = self._replacing.ask(wish) if reload else self._reception.answer(wish)
        except CpwError as error:
            answer = Refused(error=info_from_error(error))
        # Whatever one person's wish provokes (a NUL in a path, bytes for a number, a full disk) is that
        # person's answer, and not the end of everybody's work.
        except Exception as error:
            log.exception("a request failed")
            answer = Refused(error=info_from_error(error))
        self._to_client(arrival.peer, arrival.header, answer)
        if isinstance(answer, Submitted):
            reach("coordinator.submit.answered")

    def _to_client(self, peer: bytes, header: Header, message: Any, version: bytes | None = None) -> None:
        try:
            self._link.send("c", peer, Header(run=self._run, request=header.request), message, version)
        except Gone:
            log.info("a client left before its answer")
        except WireError as error:
            log.warning("an answer cannot be sent: %s", error)
            self._to_client(peer, header, Refused(error=info_from_error(error)), version)

    def _refuse_malformed(self, event: Malformed) -> None:
        """Say what is wrong, in the peer's own version where only the version differs."""
        self._refusals.say(time.monotonic(), "a message on socket %s: %s", event.side, event.error)
        if event.side == "c":
            refused = Refused(error=info_from_error(event.error))
            self._to_client(event.peer, Header(), refused, event.peer_version)
        elif event.peer_version is not None:
            try:
                reject = Reject(reason=info_from_error(event.error))
                self._link.send("w", event.peer, Header(run=self._run), reject, event.peer_version)
            except Gone:
                log.info("%r left before it was refused", event.peer)
        elif event.type in ("Result", "Failure"):
            member = self._roster.members.get(event.peer.decode("ascii", "replace"))
            if member is not None and member.call is not None:
                # Otherwise its worker would be taken for busy, and its step for running, for good.
                failure = Failure(error=info_from_error(event.error), duration_ms=0)
                self._dispatcher.on_failure(member.call, failure, event.peer, time.monotonic())


def _is_alive(pid: int) -> bool:
    """Tell whether the process runs; one that has ended and was not reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


def _find_mismatch(hello: Hello, peer: bytes) -> ErrorInfo | None:
    remedy = f"cpw envs build {hello.environment}"
    if hello.worker.encode() != peer:
        text = f"The worker {hello.worker!r} speaks under another name."
        return ErrorInfo(kind=ErrorKind.WIRE, message=text)
    if hello.oldest_protocol > PROTOCOL_VERSION or hello.newest_protocol < OLDEST_SUPPORTED_VERSION:
        text = (
            f"The worker speaks wire versions {hello.oldest_protocol} to {hello.newest_protocol}, "
            f"the coordinator {OLDEST_SUPPORTED_VERSION} to {PROTOCOL_VERSION}."
        )
        return ErrorInfo(kind=ErrorKind.WIRE, message=text, remedy=remedy)
    for stage, version in hello.stages.items():
        if stage not in STAGES or STAGES[stage].version != version:
            text = f"The worker {hello.environment} has {stage} version {version}, which is not ours."
            return ErrorInfo(kind=ErrorKind.WIRE, message=text, remedy=remedy)
    return None
