"""A plan: the steps of a job, and what each step waits for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Dependencies", "Plan", "PlannedStep"]


@dataclass(frozen=True)
class Dependencies:
    """The names of the steps that a step waits for."""

    needs: tuple[str, ...]
    """These must be done."""
    after: tuple[str, ...]
    """These must have ended, done or not."""


@dataclass(frozen=True, kw_only=True)
class PlannedStep:
    """One stage in one environment. `target` is the language of a step that is made once a language."""

    name: str
    stage: str
    environment: str
    target: str | None
    needs: tuple[str, ...]
    after: tuple[str, ...]
    choices: dict[str, Any] = field(default_factory=dict)
    """Fields of the request that the planner has chosen."""
    reasons: tuple[str, ...] = ()
    """Why this environment and these choices."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Steps in order: each comes after the steps that it waits for."""

    steps: tuple[PlannedStep, ...]
