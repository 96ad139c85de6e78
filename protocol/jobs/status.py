"""Jobs and their steps as they are shown, as messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocol.errors import ErrorInfo
from protocol.jobs.quality import Quality

__all__ = [
    "KNOWN_CHANGES",
    "MOST_JOBS",
    "ChangesQuery",
    "ChangesReport",
    "JobReport",
    "JobState",
    "StatusQuery",
    "StatusReport",
    "StepReport",
    "StepState",
]

JobState = Literal["held", "queued", "running", "done", "failed", "cancelled"]
StepState = Literal["waiting", "ready", "running", "done", "skipped", "failed", "cancelled"]


MOST_JOBS = 100
"""An answer has no more jobs: while the coordinator makes it, it does nothing else."""


KNOWN_CHANGES = 10_000
"""Of so many changes of the store the removed jobs are known; whoever saw less begins anew."""


@dataclass(frozen=True, kw_only=True)
class StatusQuery:
    """Asks for some jobs, or, when `jobs` is empty, for the newest `limit`: at most `MOST_JOBS` of either."""

    jobs: tuple[str, ...] = ()
    limit: int = 50
    before: str = ""
    """Of the newest ones, only those that were submitted before this job."""


@dataclass(frozen=True, kw_only=True)
class StepReport:
    """A step as shown. `fraction` is 0 to 1; times are milliseconds."""

    name: str
    stage: str
    environment: str
    state: StepState
    attempt: int
    fraction: float
    duration_ms: int | None = None
    note: str = ""
    error: ErrorInfo | None = None
    worker: str = ""
    """Who runs it."""
    node: str = ""
    """The node that runs it, or did; empty: the head's own machine."""
    running_ms: int | None = None
    """How long this attempt has run so far."""
    waits_for: str = ""
    """Why a step that is ready is not begun: `whisperx: crash-loop: cpw logs whisperx`."""


@dataclass(frozen=True, kw_only=True)
class JobReport:
    """A job as shown."""

    job: str
    state: JobState
    media: str
    workflow: str
    directory: str
    created_at: str
    elapsed_ms: int
    fraction: float
    steps: tuple[StepReport, ...]
    language: str | None = None
    language_probability: float | None = None
    outputs: tuple[str, ...] = ()
    """Absolute paths of what the person asked for, so far."""
    notes: tuple[str, ...] = ()
    error: ErrorInfo | None = None
    left_ms: int | None = None
    """How long until it ends, waiting for other jobs included; 0 where it has ended, None: not known."""
    quality: Quality | None = None
    """What to expect of its subtitles by the models that make them; None where nobody says."""


@dataclass(frozen=True, kw_only=True)
class StatusReport:
    """Answer to a `StatusQuery`; jobs that are not known are named."""

    jobs: tuple[JobReport, ...]
    unknown: tuple[str, ...] = ()
    left_ms: int | None = None
    """How long until every job that is queued or running has ended, shown here or not; None: not known."""


@dataclass(frozen=True, kw_only=True)
class ChangesQuery:
    """Asks what has changed after a revision of the job store; without one, for the revision of now."""

    after: int | None = None


@dataclass(frozen=True, kw_only=True)
class ChangesReport:
    """Answer to a `ChangesQuery`: ask again from `revision` on."""

    revision: int
    """What the answer brings one up to; there is more where it is below `newest`."""
    newest: int
    jobs: tuple[JobReport, ...] = ()
    """Jobs that were added or changed, at most `MOST_JOBS`, each as it is now."""
    running: tuple[JobReport, ...] = ()
    """The other jobs that run: how far they are is not in the store."""
    removed: tuple[str, ...] = ()
    unknown: bool = False
    """The revision is too old, or of another store: ask for all jobs."""
