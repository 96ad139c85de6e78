"""What happens next to the steps of a job. Pure: states in, states out, no clock, no store."""

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
    "job_state",
    "settle",
    "to_renew",
]

MAX_KILLS = 2
"""A step that killed this many workers is quarantined."""
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
"""`held`: the step waits and its job with it, until a person has made room and resumes it."""


def after_failure(kind: ErrorKind, failures: int, kills: int) -> Verdict:
    """Return what follows from a failed attempt; `failures` and `kills` count this one."""
    if kind is ErrorKind.CANCELLED:
        return "cancelled"
    if kind is ErrorKind.DISK_FULL:
        return "held"
    count = kills if kind in (ErrorKind.HUNG, ErrorKind.CRASHED) else failures
    if count > _RETRIES.get(kind, 0):
        return "failed"
    immediately = kind in (ErrorKind.HUNG, ErrorKind.CRASHED, ErrorKind.BUG, ErrorKind.WIRE)
    return Retry(0 if immediately else _BACK_OFF_MS[min(count, len(_BACK_OFF_MS)) - 1])


def settle(states: Mapping[str, StepState], links: Mapping[str, Dependencies]) -> dict[str, StepState]:
    """Return the steps whose state changes because of the others': to `ready`, or to `skipped`.

    A step is ready when all it needs is done (or was skipped as not needed) and all it comes after has
    ended; it is skipped where something that it needs has failed or was given up for that reason, and where
    all that it comes after was lost: a film with subtitles without any would be no such film.
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
            if any(need in lost for need in link.needs) or _is_bereft(link, now, lost):
                lost.add(name)
                now[name] = changes[name] = "skipped"
                moved = True
            elif all(now[need] in ("done", "skipped") for need in link.needs) and all(
                now[earlier] in ENDED for earlier in link.after
            ):
                now[name] = changes[name] = "ready"
    return changes


def _is_bereft(link: Dependencies, states: Mapping[str, StepState], lost: Collection[str]) -> bool:
    """Tell whether all that a step comes after has ended, some of it lost and none of it done."""
    ended = bool(link.after) and all(states[earlier] in ENDED for earlier in link.after)
    return (
        ended
        and any(earlier in lost for earlier in link.after)
        and all(states[earlier] != "done" for earlier in link.after)
    )


def to_renew(
    states: Mapping[str, StepState],
    links: Mapping[str, Dependencies],
    chosen: Collection[str],
    spared: Collection[str],
) -> set[str]:
    """Return the steps to be done when a job goes on: the lost, the `chosen`, and all that depends on them.

    What only came after a lost step, and was done without it, is done again with it: the film is made anew
    with the track that had failed. `spared` are steps that are skipped for a reason of their own.
    """
    again = {name for name, state in states.items() if state in ("failed", "cancelled")} | set(chosen)
    moved = True
    while moved:
        more = {
            name
            for name, link in links.items()
            if name not in again and name not in spared and not again.isdisjoint((*link.needs, *link.after))
        }
        again |= more
        moved = bool(more)
    return again


def job_state(states: Mapping[str, StepState]) -> JobState:
    """Return the job's state that follows from its steps'."""
    found = set(states.values())
    if not found <= ENDED:
        return "running" if found - {"waiting", "ready"} else "queued"
    if "failed" in found:
        return "failed"
    return "cancelled" if "cancelled" in found else "done"
