"""Counts what becomes of steps, for whoever watches the house; they begin anew at each start."""

from __future__ import annotations

import bisect
from collections import Counter
from dataclasses import dataclass, field

from coordinator.store.rows import StepRow
from protocol.errors import ErrorKind
from protocol.jobs.figures import TOOK_S, StepFigures

__all__ = ["Figures"]


@dataclass
class _Tally:
    ended: Counter[str] = field(default_factory=Counter)
    attempts: Counter[str] = field(default_factory=Counter)
    took: list[int] = field(default_factory=lambda: [0] * (len(TOOK_S) + 1))
    took_ms: int = 0
    sound_ms: int = 0


class Figures:
    """A tally for each stage and environment. Used by the loop's thread alone."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str, str], _Tally] = {}

    def done(self, step: StepRow, sound_ms: int, duration_ms: int) -> None:
        """Count a step that is done; one without a worker was taken over, and no call was made for it."""
        tally = self._of(step)
        tally.ended["done" if step.worker else "reused"] += 1
        if not step.worker:
            return
        tally.attempts["done"] += 1
        tally.took[bisect.bisect_left(TOOK_S, duration_ms / 1000)] += 1
        tally.took_ms += max(0, duration_ms)
        tally.sound_ms += max(0, sound_ms)

    def attempt_failed(self, step: StepRow, kind: ErrorKind, *, for_good: bool) -> None:
        """Count an attempt that failed; `for_good`: the step failed with it."""
        tally = self._of(step)
        tally.attempts[kind.value] += 1
        if for_good:
            tally.ended["failed"] += 1

    def report(self) -> tuple[StepFigures, ...]:
        """Return the figures by stage and environment."""
        return tuple(
            StepFigures(
                stage=stage,
                environment=environment,
                ended=dict(tally.ended),
                attempts=dict(tally.attempts),
                took=tuple(tally.took),
                took_ms=tally.took_ms,
                sound_ms=tally.sound_ms,
            )
            for (stage, environment), tally in sorted(self._tallies.items())
        )

    def _of(self, step: StepRow) -> _Tally:
        return self._tallies.setdefault((step.stage, step.environment), _Tally())
