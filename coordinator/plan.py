"""What a plan is: the steps of a job, and what each of them waits for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Dependencies", "Plan", "PlannedStep"]


@dataclass(frozen=True)
class Dependencies:
    """What a step waits for."""

    needs: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One stage in one environment. `target` is a language where the step is for one."""

    name: str
    stage: str
    environment: str
    target: str | None
    needs: tuple[str, ...]
    after: tuple[str, ...]
    choices: dict[str, Any] = field(default_factory=dict)
    """Fields of the request that were chosen for it."""
    reasons: tuple[str, ...] = ()
    """Why this environment and these choices."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The steps in an order in which each comes after all that it waits for."""

    steps: tuple[PlannedStep, ...]
