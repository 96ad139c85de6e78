"""The workers that have said hello: who is free, who is silent, who runs what. Time is an argument."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.clock import is_instant
from protocol.messages import CallIdentity, Hello, LoadedModel, WorkerState

__all__ = ["QUICK_MS", "SILENT_AFTER_S", "Member", "Roster"]

QUICK_MS = 100
"""A worker whose calls are shorter is given the next one ahead. Behind a long call nothing waits in a worker:
the queue is the store's, where a job that comes later can still go first."""
SILENT_AFTER_S = 10.0
"""A process that has not echoed for this long is stopped or wedged: the supervisor is asked to kill it."""


@dataclass
class Member:
    """One worker process."""

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
    ready_by_s: float
    """The same as an instant: an exit that was recorded before it is another process's."""
    echoed_s: float
    state: WorkerState
    rss_bytes: int = 0
    calls_done: int = 0
    models: tuple[LoadedModel, ...] = ()
    call: CallIdentity | None = None
    ahead: CallIdentity | None = None
    """The call it was given while it still had another: it begins it by itself."""
    quick: bool = False
    """Its last call was so short that the way between two of them counts."""
    build: str = ""
    """Key of the build that it was started in."""
    leaving: bool = False
    """It is being replaced: it gets no call any more, and what it cannot finish is not its film's fault."""
    proved: bool = False
    """The supervisor was told that it has done a call."""
    doomed: bool = False
    """The supervisor was asked to kill it."""
    unheard: bool = False
    """A message could not be sent to it: it says hello again, or is silent and killed, or is dead."""

    def free(self) -> bool:
        """Tell whether it can be given a call now."""
        return self.call is None and self.state == "ready" and self._stays()

    def may_have_ahead(self) -> bool:
        """Tell whether it can be given the call after the one it has, or is just being given."""
        settled = self.state in ("ready", "busy") and self._stays()
        return self.quick and self.ahead is None and settled

    def _stays(self) -> bool:
        return not (self.doomed or self.unheard or self.leaving)

    def take(self, identity: CallIdentity) -> None:
        """Enter a call that it is given."""
        if self.call is None:
            self.call = identity
        else:
            self.ahead = identity
        self.state = "busy"

    def release(self, identity: CallIdentity, duration_ms: int | None = None) -> None:
        """Strike a call that has ended; the one given ahead is the one it runs now."""
        if identity == self.ahead:
            self.ahead = None
        elif identity == self.call:
            self.call, self.ahead = self.ahead, None
            idle: WorkerState = "draining" if self.leaving else "ready"
            self.state = "busy" if self.call is not None else idle
            self.quick = duration_ms is not None and duration_ms < QUICK_MS


@dataclass
class Roster:
    """All workers by name."""

    members: dict[str, Member] = field(default_factory=dict)

    def admit(self, hello: Hello, now_s: float, at: str, start_timeout_s: float) -> Member:
        """Enter a worker, or renew its entry after a reconnect."""
        member = Member(
            name=hello.worker,
            environment=hello.environment,
            pid=hello.pid,
            pulse=hello.pulse,
            stages=hello.stages,
            # What is no instant would make every question about health fail.
            started_at=hello.started_at if is_instant(hello.started_at) else at,
            met_s=now_s,
            met_at=at,
            ready_by_s=now_s + start_timeout_s,
            echoed_s=now_s,
            state=hello.state,
            call=hello.busy_with,
            build=hello.lock,
        )
        self.members[hello.worker] = member
        return member

    def dismiss(self, name: str) -> Member | None:
        """Strike a worker that has left."""
        return self.members.pop(name, None)

    def openings(self, environment: str) -> list[Member]:
        """Return whom in the environment to give the next calls, one each: first who has none."""
        here = [member for member in self.members.values() if member.environment == environment]
        return [member for member in here if member.free()] + [
            member for member in here if member.may_have_ahead()
        ]

    def environments(self) -> set[str]:
        """Return the environments that have a worker."""
        return {member.environment for member in self.members.values()}

    def forgive(self, now_s: float) -> None:
        """Count nobody's silence from before `now_s`, when nobody was listening."""
        for member in self.members.values():
            member.met_s = member.echoed_s = now_s

    def newly_late(self, now_s: float) -> list[Member]:
        """Return the workers to be killed because they have not become ready in the time they have."""
        return [
            member
            for member in self.members.values()
            if member.state in ("importing", "loading") and not member.doomed and now_s > member.ready_by_s
        ]

    def newly_silent(self, now_s: float) -> list[Member]:
        """Return the workers to be killed for their silence."""
        return [
            member
            for member in self.members.values()
            if not member.doomed and now_s - member.echoed_s > SILENT_AFTER_S
        ]
