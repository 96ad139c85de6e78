"""The workers that have said hello: which are free, which are silent, what each runs. Time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.clock import is_instant
from protocol.cluster.names import node_of
from protocol.messages import CallIdentity, Failure, Hello, LoadedModel, Progress, Result, WorkerState
from protocol.supervisor import child_of

__all__ = ["DEPTH", "QUICK_MS", "SILENT_AFTER_S", "Member", "Roster"]

DEPTH = 2
"""So many calls of a worker may be interrupted at a time: each keeps its memory."""

QUICK_MS = 100
"""A worker whose calls are shorter than this gets the next call while it still has one. Behind a longer call
nothing waits in the worker: the queue is in the store, where a later job can still go first."""
_AS_QUICK = 4
"""A call counts as quick, too, while it has at most so many times the work of one that was."""
SILENT_AFTER_S = 10.0
"""A process that has not echoed for this long is stopped or stuck: the supervisor is asked to kill it."""


@dataclass(eq=False)
class Member:
    """One worker process. Each is equal to itself alone."""

    name: str
    environment: str
    pid: int
    pulse: str
    stages: dict[str, int]
    started_at: str
    """When the process began; the same in every run of the coordinator."""
    met_s: float
    """Its last hello; its echo socket may connect a moment later."""
    met_at: str
    """The same as an instant: an exit that was recorded before it is another process's."""
    ready_by_s: float
    """It is killed if it still imports or loads at this time."""
    echoed_s: float
    state: WorkerState
    rss_bytes: int = 0
    calls_done: int = 0
    models: tuple[LoadedModel, ...] = ()
    call: CallIdentity | None = None
    ahead: CallIdentity | None = None
    """A second call, given while it still had the first: it begins it without being asked again."""
    interrupted: list[CallIdentity] = field(default_factory=list)
    """Calls that go on when `call` has ended, the outermost first. After a hello, calls whose outcome is on
    its way stand before them."""
    interruptible: bool = False
    """It has said of `call` that another call can be done inside."""
    inside_ms: dict[CallIdentity, int] = field(default_factory=dict)
    """How long calls took that were done inside this one, for the calls that it has."""
    work: dict[CallIdentity, float] = field(default_factory=dict)
    """How much work it is, for the calls that it has; see `work_of`."""
    quick_work: float | None = None
    """The most work of its last calls, if they were shorter than `QUICK_MS`; None: the last one was not."""
    cores: int = 0
    """How many its calls may keep busy, as this coordinator has told it; 0: it was told nothing yet."""
    build: str = ""
    """Key of the build that it was started in."""
    pinged_s: float = 0.0
    busy_s: float = 0.0
    """When it was last seen with a call, or starting."""
    leaving: bool = False
    """It is being replaced: it gets no more calls, and its film is not blamed for a call that is cut off."""
    proved: bool = False
    """The supervisor was told that it has done a call."""
    kill_asked: bool = False
    """The supervisor was asked to kill it."""
    unreachable: bool = False
    """A message could not be sent to it: it says hello again, is killed for its silence, or has died."""

    @property
    def child(self) -> str:
        """Return what the supervisor calls it."""
        return child_of(self.name, self.environment)

    @property
    def node(self) -> str:
        """Return the node that it runs on; empty: the head's own machine."""
        return node_of(self.name)

    def free(self) -> bool:
        """Return whether it can be given a call now."""
        return self.call is None and self.state == "ready" and self._stays()

    def may_have_ahead(self) -> bool:
        """Return whether it can be given a second call, to begin after the one it has."""
        can_work = self.state in ("ready", "busy") and self._stays()
        return can_work and self._is_quick() and self.ahead is None and not self.interrupted

    def _is_quick(self) -> bool:
        """Return whether the call that it has is expected to end soon."""
        if self.quick_work is None:
            return False
        return self.call is None or self.work.get(self.call, 0.0) <= _AS_QUICK * self.quick_work

    def may_have_inside(self) -> bool:
        """Return whether it can be given a call to do inside the one it has."""
        has_room = self.ahead is None and len(self.interrupted) < DEPTH
        return self.state == "busy" and self.interruptible and has_room and self._stays()

    def calls(self) -> list[CallIdentity]:
        """Return every call that it has; of those that it has begun, the one that ends last is the first."""
        given = (*self.interrupted, self.call, self.ahead)
        return [identity for identity in given if identity is not None]

    def _stays(self) -> bool:
        return not (self.kill_asked or self.unreachable or self.leaving)

    def take(self, identity: CallIdentity, work: float = 0.0) -> None:
        """Record a call that it is given, and how much work it is."""
        if self.call is None:
            self.call, self.interruptible = identity, False
        else:
            self.ahead = identity
        self.work[identity] = work
        self.state = "busy"

    def hear(self, identity: CallIdentity, progress: Progress) -> bool:
        """Take in how far a call is; tell whether the worker runs it.

        The first word of the call that it has ahead says that it does that one inside the running one.
        """
        if identity == self.ahead and self.call is not None:
            self.interrupted.append(self.call)
            self.call, self.ahead = identity, None
        if identity == self.call:
            self.interruptible = progress.interruptible
        return identity == self.call

    def release(self, identity: CallIdentity, outcome: Result | Failure | None = None) -> None:
        """Remove a call that has ended; the worker goes on with an interrupted one, else the one ahead.

        Without an `outcome` it never got the call.
        """
        took_ms = self.inside_ms.pop(identity, 0) + (outcome.duration_ms if outcome is not None else 0)
        work = self.work.pop(identity, 0.0)
        if identity == self.ahead:
            self.ahead = None
        elif identity in self.interrupted:
            self.interrupted.remove(identity)
        elif identity == self.call and self.interrupted:
            self.call, self.interruptible = self.interrupted.pop(), True
            self.inside_ms[self.call] = self.inside_ms.get(self.call, 0) + took_ms
        elif identity == self.call:
            self.call, self.ahead, self.interruptible = self.ahead, None, False
            idle: WorkerState = "draining" if self.leaving else "ready"
            self.state = "busy" if self.call is not None else idle
            quick = isinstance(outcome, Result) and outcome.duration_ms < QUICK_MS
            self.quick_work = max(self.quick_work or 0.0, work) if quick else None


@dataclass
class Roster:
    """All workers by name."""

    members: dict[str, Member] = field(default_factory=dict)

    def admit(self, hello: Hello, now_s: float, at: str, start_timeout_s: float) -> Member:
        """Add a worker, or renew its entry after a reconnect."""
        member = Member(
            name=hello.worker,
            environment=hello.environment,
            pid=hello.pid,
            pulse=hello.pulse,
            stages=hello.stages,
            # A text that is no instant would make every health query fail.
            started_at=hello.started_at if is_instant(hello.started_at) else at,
            met_s=now_s,
            met_at=at,
            ready_by_s=now_s + start_timeout_s,
            echoed_s=now_s,
            busy_s=now_s,
            state=hello.state,
            call=hello.busy_with,
            build=hello.lock,
        )
        self.members[hello.worker] = member
        return member

    def here(self) -> list[Member]:
        """Return the workers of the head's own machine."""
        return [member for member in self.members.values() if not member.node]

    def dismiss(self, name: str) -> Member | None:
        """Remove a worker that has left."""
        return self.members.pop(name, None)

    def openings(self, environment: str) -> list[Member]:
        """Return the environment's workers that can take one more call, those without a call first."""
        here = [member for member in self.members.values() if member.environment == environment]
        return [member for member in here if member.free()] + [
            member for member in here if member.may_have_ahead()
        ]

    def interruptible(self, environment: str) -> list[Member]:
        """Return the environment's workers that can do a call inside the one they have."""
        return [
            member
            for member in self.members.values()
            if member.environment == environment and member.may_have_inside()
        ]

    def environments(self) -> set[str]:
        """Return the environments that have a worker."""
        return {member.environment for member in self.members.values()}

    def restart_silence(self, now_s: float) -> None:
        """Count silence from `now_s` on: nobody listened before."""
        for member in self.members.values():
            member.met_s = member.echoed_s = now_s

    def excuse(self, node: str, now_s: float) -> None:
        """Count the silence of a node's workers from `now_s` on: it is the node's own."""
        for member in self.members.values():
            if member.node == node:
                member.echoed_s = now_s

    def newly_late(self, now_s: float) -> list[Member]:
        """Return the workers to be killed because they did not become ready in time."""
        return [
            member
            for member in self.members.values()
            if member.state in ("importing", "loading")
            and not member.kill_asked
            and now_s > member.ready_by_s
        ]

    def newly_silent(self, now_s: float) -> list[Member]:
        """Return the workers to be killed for their silence."""
        return [
            member
            for member in self.members.values()
            if not member.kill_asked and now_s - member.echoed_s > SILENT_AFTER_S
        ]
