"""Which waiting step is done inside a running call: so that a short film never waits for a long one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from coordinator.running.calls import work_of
from coordinator.running.roster import Member, Roster
from coordinator.store.store import StepRow, Store
from protocol.clock import since_iso_ms

__all__ = ["LOOK_EVERY_S", "PORTION", "Interrupting", "Work", "may_interrupt"]

LOOK_EVERY_S = 0.2
"""Waiting steps are compared with a running call so often."""
PORTION = 8
"""So many of an environment's waiting steps are compared at a time; the next time the ones behind them."""
_SHORT = 0.25
"""A step is short that has at most this part of the work that is left of the running call."""
_SHARE, _SHARE_OF_HIGHER = 0.5, 0.9
"""Calls inside a call get this part of its time, those of a higher priority the other: a long film goes on,
however many others come."""


@dataclass(frozen=True, kw_only=True)
class Work:
    """A step as it is compared with others."""

    priority: int
    """Of its job."""
    left: float
    """What is left to do, as `work_of` counts it; 0: not known."""


def may_interrupt(running: Work, waiting: Work, ran_ms: int, inside_ms: int) -> bool:
    """Return whether the waiting step is done inside the running one. Pure.

    A step of a higher priority is, and with the same priority a short one, while calls inside have not had
    more than their share. Of the `ran_ms` since the running call began, they took `inside_ms`.
    """
    if waiting.priority != running.priority:
        return waiting.priority > running.priority and inside_ms <= _SHARE_OF_HIGHER * ran_ms
    short = 0 < waiting.left <= _SHORT * running.left
    return short and inside_ms <= _SHARE * ran_ms


class Interrupting:
    """Compares the steps that wait with the calls that run. Used by the loop's thread alone.

    `may`: whether a worker can do a step at all.
    """

    def __init__(self, store: Store, roster: Roster, may: Callable[[StepRow, Member], bool]) -> None:
        self._store = store
        self._may = may
        self._roster = roster
        self._again_s = 0.0
        self._looked_at: dict[str, int] = {}

    def look(
        self, now_s: float, progress: Mapping[tuple[str, str], float]
    ) -> Iterator[tuple[StepRow, Member]]:
        """Yield steps, each with the busy worker that is to do it now; whoever asks sends them one by one."""
        if now_s < self._again_s:
            return
        self._again_s = now_s + LOOK_EVERY_S
        for environment in self._roster.environments():
            for member in self._roster.interruptible(environment):
                if (step := self._find(member, progress)) is not None:
                    yield step, member

    def _find(self, member: Member, progress: Mapping[tuple[str, str], float]) -> StepRow | None:
        running = None if member.call is None else self._store.current(member.call)
        if running is None or _has_failed(running):
            return None
        waiting = self._next_waiting(member)
        if not waiting:
            return None
        done = progress.get((running.job, running.name), 0.0)
        left = self._work_of(running, 1 - done)
        ran_ms = since_iso_ms(running.begun_at) if running.begun_at else 0
        for step in waiting:
            if may_interrupt(left, self._work_of(step), ran_ms, member.inside_ms.get(running.identity, 0)):
                return step
        return None

    def _next_waiting(self, member: Member) -> list[StepRow]:
        """Return the first step that waits, and some of the others: every one in its turn."""
        skipped = self._looked_at.get(member.name, 0)
        first = self._store.ready_steps(member.environment, 1)
        portion = self._store.ready_steps(member.environment, PORTION, skipped)
        self._looked_at[member.name] = skipped + PORTION if len(portion) == PORTION else 0
        return [step for step in first + portion if not _has_failed(step) and self._may(step, member)]

    def _work_of(self, step: StepRow, part: float = 1.0) -> Work:
        job = self._store.job_of(step)
        return Work(priority=job.submit.priority, left=part * work_of(step, self._store.steps(job.id)))


def _has_failed(step: StepRow) -> bool:
    """Return whether the step is done alone: it may need all memory, or take its worker with it again."""
    return bool(step.failures or step.kills)
