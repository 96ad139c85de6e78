"""review: what an editor of subtitles shows; the HTTP server asks, the program `...common.review` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from protocol.subtitles.corrections import CorrectedCue, Correction

__all__ = ["CorrectionsSaved", "NewCorrection", "NewCorrections", "ReviewAnswer"]


@dataclass(frozen=True, kw_only=True)
class ReviewAnswer:
    """A job's subtitles, ready to be put right. Times are on the film's clock."""

    version: int = 1
    page: dict[str, Any]
    """As the preview page has it; each track has its `numbers` (of the rules) and `doubts`, too."""
    corrections: tuple[Correction, ...]
    playable: str
    """Absolute path of what a browser plays; empty: nothing is left."""
    playable_starts_ms: int = 0
    has_picture: bool = True
    can_copy: bool = False
    """Browsers do not play the film, and a copy that they play can be made, which takes its time."""


@dataclass(frozen=True, kw_only=True)
class NewCorrection:
    """Cues as they were, and as they are to be."""

    old: tuple[CorrectedCue, ...]
    new: tuple[CorrectedCue, ...]


@dataclass(frozen=True, kw_only=True)
class NewCorrections:
    """What a person saves: changes to one language, made on what was saved before."""

    language: str
    base: str
    """The `base` of the review or of the last save: who saved nothing since is not in anybody's way."""
    changes: tuple[NewCorrection, ...]


@dataclass(frozen=True, kw_only=True)
class CorrectionsSaved:
    """The corrections are on the disk; the job's files are being made again."""

    base: str
    count: int
    """How many corrections the job has now."""
    steps: tuple[str, ...]
    """What is done again."""
