"""What the steps of one kind have come to: counts and seconds that only grow, for whoever watches them."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["TOOK_S", "StepFigures"]

TOOK_S = (1, 3, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 14_400)
"""The limits by which steps are sorted, in seconds."""


@dataclass(frozen=True, kw_only=True)
class StepFigures:
    """Of one stage in one environment, since the coordinator's start; no job is named."""

    stage: str
    environment: str
    ended: dict[str, int] = field(default_factory=dict)
    """Outcome to steps: `done`, `reused` (taken over from another job), `failed`."""
    attempts: dict[str, int] = field(default_factory=dict)
    """`done`, or the kind of the error, to calls that ended so."""
    took: tuple[int, ...] = (0,) * (len(TOOK_S) + 1)
    """Calls that were done, by the first limit of `TOOK_S` that they keep; the last: longer than all."""
    took_ms: int = 0
    """All these calls together."""
    sound_ms: int = 0
    """The sound that they worked on; 0 for those where nobody knows its length."""
