"""The coordinator's loop: each turn takes the messages that have arrived and does what follows from them."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path
from typing import Any

import envspecs
from coordinator.health import last_exit
from coordinator.link import Arrival, Echo, Gone, Link, Malformed
from coordinator.refusals import Refusals, find_mismatch
from coordinator.reload import Replacing
from coordinator.requests import Requests
from coordinator.running import reuse
from coordinator.running.cores import CoreShares
from coordinator.running.dispatch import Dispatcher
from coordinator.running.memory import WorkerMemory
from coordinator.running.roster import Member, Roster
from coordinator.running.worker_death import is_alive, is_blamed
from coordinator.store.backups import StoreWatch
from coordinator.store.rows import StepRow
from coordinator.store.store import Store
from protocol.clock import now_iso
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
from protocol.supervisor import (
    BEAT_EVERY_S,
    Beat,
    ChildExit,
    Command,
    Forgive,
    Kill,
    child_of,
    render_command,
)

__all__ = ["Coordinator"]

log = logging.getLogger(__name__)

TURN_MS = 250
PING_EVERY_S = 0.25
IDLE_TURN_MS = 1_000
IDLE_PING_EVERY_S = 4.0
"""Of a worker that waits for a call: its death costs nothing, and the supervisor starts the next one."""
IDLE_AFTER_S = 5.0
"""A worker that has had no call for so long is pinged less often."""
ECHO_CONNECTS_WITHIN_S = 1.0
"""A worker's echo socket may connect this long after its hello."""
EXIT_RECORDED_WITHIN_S = 2.0
"""The supervisor records an exit about 0.1 s after it; without a supervisor the loop waits this long."""
GRACE_S = 15.0
"""After a start, a running step waits this long for its worker to say hello; then it is ready again."""
_START_TIMEOUT_S = 300.0
_STOOD_STILL_S = 2.0
"""A loop that did not turn for this long (stopped, a slow disk) has missed the workers' echoes."""


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
        self._control = control
        self._run = store.next_epoch()
        reach("coordinator.boot.epoch-counted")
        self.roster = Roster()
        self._refusals = Refusals()
        self.link = Link(runtime)
        reach("coordinator.boot.bound")
        self.dispatcher = Dispatcher(store, self.link, self.roster, self._run, cores)
        self._begun_s = time.monotonic()
        self.memory = memory or WorkerMemory()
        self._replacing = Replacing(runtime, self.roster, self._ask_supervisor, self._send_to_worker)
        self._requests = Requests(
            runtime, store, self.roster, self.dispatcher, replacing=self._replacing, memory=self.memory
        )
        self._pinged_s = self._begun_s
        self._beat_again_s = self._begun_s
        if control is not None:
            os.set_blocking(control, False)
        self._deaths: list[tuple[Member, float]] = []
        self._start_timeouts = {spec.name: spec.limits.start_timeout_s for spec in envspecs.read_all()}
        self._draining = False
        self._told_to_drain = False
        self._unclaimed = {step.identity: step for step in store.running_steps()}
        store.revive_waiting()
        reach("coordinator.boot.waiting-revived")

    def drain(self) -> None:
        """Send no more calls; `serve` ends when no worker is left. Safe in a signal handler.

        It takes no lock, because the interrupted line may hold it. The loop sees the flag in its next turn.
        """
        self._draining = True

    def serve(self) -> None:
        """Turn until drained."""
        log.info("run %s: %d steps wait for their workers to say hello", self._run, len(self._unclaimed))
        while self.turn(IDLE_TURN_MS if self._is_idle() else TURN_MS):
            pass
        self.close()

    def _is_idle(self) -> bool:
        """Return whether nothing but an event can give this loop anything to do."""
        idle = all(member.free() for member in self.roster.members.values())
        return idle and not (
            self._deaths or self._unclaimed or self._draining or self.dispatcher.has_delayed()
        )

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
        self._beat(now_s)
        with self.dispatcher.together(now_s):
            for event in events:
                self._on_event(event)
            self.dispatcher.finish_accepted(now_s)
            self._refusals.sum_up(now_s)
            self.look_at_workers(now_s)
            if not self._draining:
                self.dispatcher.send_ready(now_s)
                self._spare_memory(now_s)
            self.dispatcher.share_cores()
        if not self._draining:
            return True
        if not self._told_to_drain:
            self._told_to_drain = True
            for member in self.roster.members.values():
                self._send_to_worker(member.name.encode(), Drain())
            reach("coordinator.drain.told")
        return bool(self.roster.members) or self.dispatcher.is_accepting()

    def _on_event(self, event: Arrival | Echo | Malformed) -> None:
        match event:
            case Echo(worker=worker):
                member = self.roster.members.get(worker)
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
        for step in self._store.running_steps():
            mine = step.worker == member.name
            if mine and step.identity in held:
                self._unclaimed.pop(step.identity, None)
            elif (mine and step.identity not in held) or self._is_replaced(step, member):
                # The call was lost on its way, or the worker that had it has died.
                self._unclaimed.pop(step.identity, None)
                self.dispatcher.lose(step, time.monotonic())
                reach("coordinator.hello.reclaimed")
        if self._draining:
            self._send_to_worker(peer, Drain())

    def _is_replaced(self, step: StepRow, member: Member) -> bool:
        """Return whether `member` has taken the place of the worker that the step was given to."""
        return (
            child_of(step.worker, step.environment) == member.child
            and step.identity in self._unclaimed
            and step.worker not in self.roster.members
        )

    def _on_state(self, member: Member, state: State) -> None:
        # Until a worker has read its call it still says ready; the roster knows that it is busy.
        if member.call is None or state.state != "ready":
            member.state = state.state
        if state.rss_bytes:
            member.rss_bytes, member.models = state.rss_bytes, state.models
            member.calls_done = state.calls_done

    def look_at_workers(self, now_s: float) -> None:
        """Ping the workers; conclude what died, have killed what is silent or late."""
        if now_s - self._pinged_s >= PING_EVERY_S:
            if now_s - self._pinged_s > _STOOD_STILL_S:
                log.warning(
                    "the loop stood still for %.0f s: workers are not blamed for silence in that time",
                    now_s - self._pinged_s,
                )
                self.roster.restart_silence(now_s)
            self._pinged_s = now_s
            for member in list(self.roster.members.values()):
                self._ping(member, now_s)
            self._replacing.look()
        self._conclude_deaths(now_s)
        for member in self.roster.newly_silent(now_s):
            self._have_killed(member, "no echo")
        for member in self.roster.newly_late(now_s):
            self._have_killed(member, f"still {member.state}")
        if self._unclaimed and now_s - self._begun_s > GRACE_S:
            for step in self._unclaimed.values():
                self.dispatcher.lose(step, now_s)
            self._unclaimed.clear()

    def _spare_memory(self, now_s: float) -> None:
        """Ask idle workers to unload models where all workers together take more memory than allowed."""
        for name, keys in self.memory.look(list(self.roster.members.values()), now_s).items():
            self._send_to_worker(name.encode(), Unload(keys=keys))

    def _have_killed(self, member: Member, reason: str) -> None:
        log.warning("%s: %s; the supervisor is asked to kill it", member.name, reason)
        member.kill_asked = True
        self._ask_supervisor(Kill(child=member.child, pid=member.pid, reason=reason))

    def _ping(self, member: Member, now_s: float) -> None:
        if not member.free():
            member.busy_s = now_s
        if now_s - member.busy_s > IDLE_AFTER_S and now_s - member.pinged_s < IDLE_PING_EVERY_S:
            return
        member.pinged_s = now_s
        try:
            self.link.ping(member.pulse, b"%d" % round(now_s * 1000))
        except Gone:
            # The first ping may be sent before the echo socket has connected.
            if now_s - member.met_s < ECHO_CONNECTS_WITHIN_S:
                return
            # Only the connection is broken: either it comes back, or the process is killed for its silence.
            if is_alive(member.pid):
                return
            log.warning("%s has left", member.name)
            self.roster.dismiss(member.name)
            reach("coordinator.worker.left")
            self._deaths.append((member, now_s))

    def _conclude_deaths(self, now_s: float) -> None:
        """Conclude the calls of dead workers, once the supervisor has recorded how they ended."""
        waiting = []
        for member, left_s in self._deaths:
            recorded = last_exit(self._runtime, member.child)
            known = recorded.at > member.met_at
            if not (known or self._draining or member.leaving or now_s - left_s > EXIT_RECORDED_WITHIN_S):
                waiting.append((member, left_s))
                continue
            how = recorded if known else ChildExit()
            for step in self._store.running_steps():
                if step.worker == member.name:
                    blamed = not self._draining and is_blamed(step, member, how)
                    self.dispatcher.lose(step, now_s, how if blamed else None)
                    reach("coordinator.worker.mourned")
                    if blamed and known:
                        self._ask_supervisor(Forgive(child=member.child))
        self._deaths = waiting

    def _beat(self, now_s: float) -> None:
        """Tell the supervisor that the loop turns: it kills one that does not."""
        if now_s >= self._beat_again_s:
            self._beat_again_s = now_s + BEAT_EVERY_S
            self._ask_supervisor(Beat(run=self._run))

    def _ask_supervisor(self, command: Command) -> None:
        """Send the supervisor what it is to do; nothing where no supervisor started this coordinator."""
        if self._control is None:
            return
        try:
            os.write(self._control, render_command(command))
        except BlockingIOError:
            log.warning("the supervisor does not read what it is told: %s is lost", type(command).__name__)

    def _send_to_worker(self, peer: bytes, message: Welcome | Reject | Drain | Unload) -> None:
        try:
            self.link.send("w", peer, Header(run=self._run), message)
        except Gone:
            log.info("%r left before %s could be sent", peer, type(message).__name__)

    # clients

    def _on_client(self, arrival: Arrival) -> None:
        try:
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
