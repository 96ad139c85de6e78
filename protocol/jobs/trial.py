"""A stretch or a line of a finished job, done again by warm workers: the job itself stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = ["TrialBegun", "TrialQuery"]


@dataclass(frozen=True, kw_only=True)
class TrialQuery:
    """Asks for a stretch to be recognised again, or for a line to be translated again.

    The trial is a job that stands in no list and runs before the others.
    """

    job: str
    stage: str
    """`asr` or `translate`."""
    start_ms: int
    end_ms: int
    """On the film's clock."""
    target_language: str = ""
    text: str = ""
    """The line that is to be translated."""
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stage to field to value, in place of the job's own."""


@dataclass(frozen=True, kw_only=True)
class TrialBegun:
    """Answer to a `TrialQuery`: the trial is in the store."""

    job: str
    """The trial's own id."""
    transcript: str
    """Absolute path of the transcript that it leaves when it is done."""
    clip_start_ms: int
    """What is to be added to the transcript's times to be on the film's clock."""
