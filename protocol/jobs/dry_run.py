"""What a submission would lead to, as messages: nothing is submitted, nothing changes."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.errors import ErrorInfo
from protocol.jobs.submission import Submit

__all__ = ["DryRun", "DryRunReport", "FilmForecast", "ModelForecast", "StepForecast"]


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """Asks what would be done for these submissions, how long it would take and with how much memory."""

    submissions: tuple[Submit, ...]
    lengths_ms: tuple[int | None, ...] = ()
    """How long each film is, in the order of the submissions; None: not known."""


@dataclass(frozen=True, kw_only=True)
class StepForecast:
    """A step that would be done."""

    name: str
    stage: str
    environment: str
    model: str
    """Empty where the step needs none."""
    reasons: tuple[str, ...]
    """Why this environment, this model and these settings."""
    takes_ms: int | None
    """None: not known yet on this machine."""


@dataclass(frozen=True, kw_only=True)
class FilmForecast:
    """What one submission would lead to; `error` says why it would be no job."""

    media: str
    workflow: str
    steps: tuple[StepForecast, ...] = ()
    notes: tuple[str, ...] = ()
    length_ms: int | None = None
    """Of what would be worked on: the film or the clip."""
    takes_ms: int | None = None
    """How long the film would take alone; None: not known yet on this machine."""
    error: ErrorInfo | None = None


@dataclass(frozen=True, kw_only=True)
class ModelForecast:
    """A model that would be in memory."""

    environment: str
    model: str
    bytes: int
    """What it takes, as its worker measured it, else estimated from its files; 0: not known."""
    loaded: bool
    """Whether it is in memory now."""


@dataclass(frozen=True, kw_only=True)
class DryRunReport:
    """Answer to a `DryRun`: the films in the order of the submissions."""

    films: tuple[FilmForecast, ...]
    models: tuple[ModelForecast, ...] = ()
    takes_ms: int | None = None
    """Until the last film would be done, if nothing else had to be done; None: not known."""
    waits_ms: int | None = None
    """How long the jobs that there are take first; 0 where there are none, None: not known."""
    memory_bytes: int = 0
    """What the models take together, without the libraries of their workers; 0: not known."""
