"""What happens next to the steps of a job. Pure: no clock, no store."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from coordinator.plan import Dependencies
from protocol.errors import ErrorKind
from protocol.messages import JobState, StepState

__all__ = [
    "ENDED",
    "MAX_KILLS",
    "Retry",
    "Verdict",
    "after_failure",
    "follow_up",
    "job_state",
    "steps_to_redo",
]

MAX_KILLS = 2
"""A step that has killed this many workers fails."""
_RETRIES: dict[ErrorKind, int] = {
    ErrorKind.TRANSIENT: 4,
    ErrorKind.RESOURCE: 2,
    ErrorKind.BUG: 1,
    ErrorKind.WIRE: 1,
    ErrorKind.HUNG: MAX_KILLS - 1,
    ErrorKind.CRASHED: MAX_KILLS - 1,
}
_BACK_OFF_MS = (500, 2_000, 8_000, 30_000)

ENDED: frozenset[StepState] = frozenset({"done", "skipped", "failed", "cancelled"})


@dataclass(frozen=True)
class Retry:
    """Try the step again after `delay_ms`."""

    delay_ms: int


Verdict = Retry | Literal["failed", "cancelled", "held"]
"""`held`: the step and its job wait until a person has made room on the disk and resumes the job."""


def after_failure(kind: ErrorKind, failures: int, kills: int) -> Verdict:
    """Return what follows from a failed attempt; `failures` and `kills` include this attempt."""
    if kind is ErrorKind.CANCELLED:
        return "cancelled"
    if kind is ErrorKind.DISK_FULL:
        return "held"
    count = kills if kind in (ErrorKind.HUNG, ErrorKind.CRASHED) else failures
    if count > _RETRIES.get(kind, 0):
        return "failed"
    immediately = kind in (ErrorKind.HUNG, ErrorKind.CRASHED, ErrorKind.BUG, ErrorKind.WIRE)
    return Retry(0 if immediately else _BACK_OFF_MS[min(count, len(_BACK_OFF_MS)) - 1])


def follow_up(states: Mapping[str, StepState], links: Mapping[str, Dependencies]) -> dict[str, StepState]:
    """Return the waiting steps that other steps' states now make `ready` or `skipped`.

    A step is ready when every step that it needs is done (or skipped as not needed) and every step that it
    comes after has ended. It is skipped when a step that it needs is lost: failed, cancelled, or skipped
    because of a lost step. It is also skipped when all steps that it comes after have ended, at least one
    is lost and none is done: a film with subtitles needs at least one track.
    """
    now = dict(states)
    lost = {name for name, state in now.items() if state in ("failed", "cancelled")}
    changes: dict[str, StepState] = {}
    moved = True
    while moved:
        moved = False
        for name, link in links.items():
            if now[name] != "waiting":
                continue
            if any(need in lost for need in link.needs) or _has_nothing_to_use(link, now, lost):
                lost.add(name)
                now[name] = changes[name] = "skipped"
                moved = True
            elif all(now[need] in ("done", "skipped") for need in link.needs) and all(
                now[earlier] in ENDED for earlier in link.after
            ):
                now[name] = changes[name] = "ready"
    return changes


def _has_nothing_to_use(link: Dependencies, states: Mapping[str, StepState], lost: Collection[str]) -> bool:
    """Return whether all steps that a step comes after have ended, at least one lost and none done."""
    ended = bool(link.after) and all(states[earlier] in ENDED for earlier in link.after)
    return (
        ended
        and any(earlier in lost for earlier in link.after)
        and all(states[earlier] != "done" for earlier in link.after)
    )


def steps_to_redo(
    states: Mapping[str, StepState],
    links: Mapping[str, Dependencies],
    chosen: Collection[str],
    left_out: Collection[str],
) -> set[str]:
    """Return the steps to do when a job goes on: failed, cancelled and `chosen` ones, and all behind them.

    A step that only comes after a failed step was done without it, and is done again with it: the film is
    made again with the track that had failed. Steps in `left_out` stay skipped unless they are in `chosen`.
    """
    again = {name for name, state in states.items() if state in ("failed", "cancelled")} | set(chosen)
    moved = True
    while moved:
        more = {
            name
            for name, link in links.items()
            if name not in again and name not in left_out and not again.isdisjoint((*link.needs, *link.after))
        }
        again |= more
        moved = bool(more)
    return again


def job_state(states: Mapping[str, StepState]) -> JobState:
    """Return the job's state, which follows from the states of its steps."""
    found = set(states.values())
    if not found <= ENDED:
        return "running" if found - {"waiting", "ready"} else "queued"
    if "failed" in found:
        return "failed"
    return "cancelled" if "cancelled" in found else "done"
