"""What a person can order, of jobs and environments, and the answers.

Part of the vocabulary of `protocol.messages`.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    """Stop these jobs; what is done stays, and `ResumeJobs` goes on from there."""

    jobs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ResumeJobs:
    """Go on with these jobs, or with every failed or held one; what is done is not done again."""

    jobs: tuple[str, ...] = ()
    everything: bool = False


@dataclass(frozen=True, kw_only=True)
class RetryJob:
    """Do a stage of a job again, and all that depends on it."""

    job: str
    stage: str
    """A stage, or one step's name."""


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
    """Remove jobs that have ended, with their folders: as many as can be removed in about a second."""

    older_than_ms: int = 0
    """Since their end."""
    states: tuple[str, ...] = ("done", "failed", "cancelled")
    dry_run: bool = False
    """Only count; `after` is where to go on."""
    after: int = 0
    """The `last` of the answer before, 0 at first."""


@dataclass(frozen=True, kw_only=True)
class Pruned:
    """Answer to `PruneJobs`; not the whole as long as there are `more`."""

    jobs: tuple[str, ...]
    size_bytes: int
    last: int = 0
    more: bool = False
    kept: tuple[str, ...] = ()
    """Sentences about folders that could not be removed; their jobs are kept."""


@dataclass(frozen=True, kw_only=True)
class ReloadEnvironment:
    """Start the environment's worker anew, in its current build; the others go on undisturbed."""

    environment: str
    now: bool = False
    """Do not wait for the call that it runs: it is given back, and done anew."""


@dataclass(frozen=True, kw_only=True)
class Reloading:
    """Answer to `ReloadEnvironment`: it is under way."""

    environment: str
    pid: int | None = None
    """The worker that is replaced; None where there is none."""
    job: str = ""
    """Whose step it runs now, empty where it runs none."""
    step: str = ""
