"""What a person can change about jobs and environments, as messages, and the answers to them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "CancelJobs",
    "Changed",
    "JobChange",
    "PruneJobs",
    "Pruned",
    "ReloadEnvironment",
    "Reloading",
    "ResumeJobs",
    "RetryJob",
]


@dataclass(frozen=True, kw_only=True)
class CancelJobs:
    """Stop these jobs. Finished steps are kept, and `ResumeJobs` continues after them."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ResumeJobs:
    """Continue these jobs, or every failed or held one. Finished steps are not done again."""

    jobs: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, kw_only=True)
class RetryJob:
    """Do a stage of a job again, and all that depends on it."""

    job: str
    stage: str
    """A stage, or one step's name."""
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stage to field to value, in place of the job's own from now on: another model, for example."""


@dataclass(frozen=True, kw_only=True)
class JobChange:
    """What became of one job."""

    job: str
    was: str
    """Its `JobState` before."""
    state: str
    steps: tuple[str, ...] = ()
    """The steps that were cancelled, or that are done (again)."""


@dataclass(frozen=True, kw_only=True)
class Changed:
    """Answer to `CancelJobs`, `ResumeJobs` and `RetryJob`, committed; unknown jobs are named."""

    jobs: tuple[JobChange, ...]
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PruneJobs:
    """Remove jobs that have ended, with their folders: as many as can be removed in about a second.

    Which jobs, and whether they are removed, has no default: a message without these fields removes nothing.
    """

    older_than_ms: int
    """Since their end."""
    states: tuple[str, ...]
    dry_run: bool
    """Only count; `after` is where to go on."""
    after: int = 0
    """The `last` of the answer before, 0 at first."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """Answer to `PruneJobs`. While `more` is true, ask again for the rest."""

    jobs: tuple[str, ...]
    size_bytes: int
    last: int = 0
    more: bool = False
    kept: tuple[str, ...] = ()
    """Sentences about folders that could not be removed; their jobs are kept."""


@dataclass(frozen=True, kw_only=True)
class ReloadEnvironment:
    """Start a new worker for the environment, in its current build. Other workers are not affected."""

    environment: str
    now: bool = False
    """Do not wait for the call that the worker runs: another worker does it again."""


@dataclass(frozen=True, kw_only=True)
class Reloading:
    """Answer to `ReloadEnvironment`: the reload has begun."""

    environment: str
    pid: int | None = None
    """The worker that is replaced; None where there is none."""
    pids: tuple[int, ...] = ()
    """Every worker that is replaced, one after the other."""
    job: str = ""
    """The job whose step it runs now; empty if it runs none."""
    step: str = ""
