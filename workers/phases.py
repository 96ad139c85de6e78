"""Decides what a worker does next: takes events, returns commands. No socket, no thread, no clock."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import ErrorInfo, ErrorKind
from protocol.messages import (
    Ack,
    Call,
    CallIdentity,
    Cancel,
    Drain,
    Failure,
    Hello,
    Progress,
    Reject,
    Result,
    State,
    Unload,
    Welcome,
    WorkerState,
)

__all__ = ["Begin", "CancelCall", "ClearShelf", "Exit", "Phases", "Send"]


@dataclass(frozen=True)
class Send:
    """Send `message` to the coordinator; `identity` is the call that it is about, if any."""

    message: Any
    identity: CallIdentity | None = None


@dataclass(frozen=True)
class Begin:
    """Give the call to the main thread."""

    identity: CallIdentity
    call: Call


@dataclass(frozen=True)
class CancelCall:
    """Let a call that has begun end at its next report of progress."""

    identity: CallIdentity


@dataclass(frozen=True)
class ClearShelf:
    """Unload the models with these keys, or every model, after the running call and before the next."""

    keys: tuple[str, ...] = ()


@dataclass(frozen=True)
class Exit:
    """End the process. `reason` tells why the coordinator refuses the worker; else it is empty.

    `recycled`: the process ends so that a new one takes its place.
    """

    reason: str = ""
    recycled: bool = False


Command = Send | Begin | CancelCall | ClearShelf | Exit

_SEND_AGAIN_BEATS = 20
"""Outcomes that wait keep the beat at twice a second."""


@dataclass
class Phases:
    """The state of the worker, as its IO thread knows it.

    Outcomes are kept until the coordinator acknowledges them, and are sent again on every new connection: a
    coordinator that was restarted gets them too.
    """

    hello: Hello
    state: WorkerState = "importing"
    running: CallIdentity | None = None
    interrupted: list[CallIdentity] = field(default_factory=list)
    """Calls that go on when the running one has ended, the outermost first."""
    draining: bool = False
    worn_out: bool = False
    waiting: deque[Begin] = field(default_factory=deque)
    outcomes: dict[CallIdentity, Result | Failure] = field(default_factory=dict)
    beats: int = 0

    def on_connected(self) -> list[Command]:
        """Return what is sent first on a new connection.

        A call that waits is not in it: the coordinator takes that call for lost, and sends it again.
        """
        self.waiting.clear()
        fields = {**self.hello.__dict__, "state": self.state, "busy_with": self.running}
        fields["unacknowledged"] = (*self.outcomes, *self.interrupted)
        return [Send(Hello(**fields))]

    def on_message(self, message: Any, identity: CallIdentity) -> list[Command]:
        """Return what to do about a message of the coordinator."""
        match message:
            case Welcome():
                return [Send(outcome, call) for call, outcome in self.outcomes.items()]
            case Reject(reason=reason):
                return [Exit(f"{reason.message} {reason.remedy}".strip())]
            case Call():
                return self._on_call(Begin(identity, message))
            case Cancel():
                return self._on_cancel(identity)
            case Unload(keys=keys):
                return [ClearShelf(keys)]
            case Ack():
                self.outcomes.pop(identity, None)
                return self._leave_if_drained()
            case Drain():
                return self._drain()
        return []

    def on_worn_out(self) -> list[Command]:
        """Take no more calls, and end so that a new process starts: this one uses too much memory.

        Calls that wait do not begin here: the coordinator gives them to the next worker.
        """
        self.worn_out = True
        return self._drain()

    def on_loaded(self, state: WorkerState) -> list[Command]:
        """Return what to do when the main thread has finished one step of the start."""
        if state == "ready" and self.draining:
            return self._leave_if_drained()
        commands = self._change(state)
        return commands + (self._begin_next() if state == "ready" else [])

    def on_progress(self, identity: CallIdentity, progress: Progress) -> list[Command]:
        """Send progress, of the running call only."""
        return [Send(progress, identity)] if identity == self.running else []

    def has_inside(self) -> bool:
        """Return whether a call waits that may be done inside the running one."""
        return any(begin.call.inside for begin in self.waiting)

    def at_border(self) -> Begin | None:
        """Return the call that the main thread does now, inside the running one, or None.

        The main thread asks at a border of the running call. A call that it does not ask for begins after the
        running one, as any that waits.
        """
        begin = next((queued for queued in self.waiting if queued.call.inside), None)
        if begin is None or self.running is None:
            return None
        self.waiting.remove(begin)
        self.interrupted.append(self.running)
        self.running = begin.identity
        return begin

    def on_outcome(self, identity: CallIdentity, outcome: Result | Failure) -> list[Command]:
        """Keep the outcome, send it, and begin the next call; one that was interrupted goes on."""
        self.outcomes[identity] = outcome
        self.running = None
        if self.interrupted:
            self.running = self.interrupted.pop()
            return [Send(outcome, identity)]
        if following := self._begin_next():
            # It stays busy: nobody needs to know that it was ready for a moment.
            return [Send(outcome, identity), *following]
        return [Send(outcome, identity), *self._change("draining" if self.draining else "ready")]

    def beat(self, measured: State) -> list[Command]:
        """Return the state as a message; sometimes with the outcomes that are not acknowledged.

        A full queue may drop an outcome or its acknowledgement: so the outcome is sent again.
        """
        self.beats += 1
        again = self.outcomes.items() if self.beats % _SEND_AGAIN_BEATS == 0 else ()
        state = Send(State(**{**measured.__dict__, "state": self.state}))
        return [state, *(Send(outcome, call) for call, outcome in again)]

    def is_idle(self) -> bool:
        """Return whether the worker only waits for a call."""
        return self.state == "ready" and not self.outcomes

    def _on_call(self, begin: Begin) -> list[Command]:
        if begin.identity in self.outcomes:
            return [Send(self.outcomes[begin.identity], begin.identity)]
        known = [*self.interrupted, *(queued.identity for queued in self.waiting)]
        if self.draining or begin.identity == self.running or begin.identity in known:
            return []
        self.waiting.append(begin)
        return self._begin_next()

    def _on_cancel(self, identity: CallIdentity) -> list[Command]:
        if identity == self.running or identity in self.interrupted:
            return [CancelCall(identity)]
        if identity not in [queued.identity for queued in self.waiting]:
            return []
        self.waiting = deque(queued for queued in self.waiting if queued.identity != identity)
        error = ErrorInfo(kind=ErrorKind.CANCELLED, message="The job was cancelled.")
        self.outcomes[identity] = Failure(error=error, duration_ms=0)
        return [Send(self.outcomes[identity], identity)]

    def _begin_next(self) -> list[Command]:
        ready = self.state in ("ready", "busy") and self.running is None and not self.draining
        if not ready or not self.waiting:
            return []
        begin = self.waiting.popleft()
        self.running = begin.identity
        return [*self._change("busy"), begin]

    def _change(self, state: WorkerState) -> list[Command]:
        changed = state != self.state
        self.state = state
        return [Send(State(state=state))] if changed else []

    def _drain(self) -> list[Command]:
        self.draining = True
        self.waiting.clear()
        return [*self._change("draining"), *self._leave_if_drained()]

    def _leave_if_drained(self) -> list[Command]:
        drained = self.draining and self.running is None and not self.outcomes
        return [Exit(recycled=self.worn_out)] if drained else []
