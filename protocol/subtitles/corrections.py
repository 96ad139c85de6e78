"""What a person changed in subtitles, kept beside the job: by place and by the text as it was.

The document `corrections.json` in the job folder is a `Corrections`. It is applied whenever cues are made: at
an export, at a retry, with another model. What does not fit any more is listed, never forced.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CORRECTIONS", "CorrectedCue", "Correction", "Corrections"]

CORRECTIONS = "corrections.json"
"""Its name in the job folder."""


@dataclass(frozen=True, kw_only=True)
class CorrectedCue:
    """A cue as it was, or as it is to be; times are on the film's clock."""

    start_ms: int
    end_ms: int
    text: str
    """Its lines, with a line feed between them."""


@dataclass(frozen=True, kw_only=True)
class Correction:
    """Cues that stood next to each other, and what takes their place.

    One for one: its text or its times were changed. One for two: it was split. Two for one: they were joined.
    Nothing for one: it was added; one for nothing: it was removed.
    """

    language: str
    old: tuple[CorrectedCue, ...]
    new: tuple[CorrectedCue, ...]


@dataclass(frozen=True, kw_only=True)
class Corrections:
    """All corrections of a job, in the order in which they were made."""

    version: int = 1
    changes: tuple[Correction, ...] = ()
