"""preview: a page to look at a job with; `cpw preview` asks, the program `...common.preview` answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["MediaKind", "PreviewMedia", "PreviewResult", "PreviewTrack"]

MediaKind = Literal["film", "muxed", "copy", "sound"]
"""What a page plays: the film itself, the film that the job wrote, a copy made for browsers, or its sound."""


@dataclass(frozen=True, kw_only=True)
class PreviewMedia:
    """What the page plays."""

    file: str
    """Absolute path."""
    kind: MediaKind


@dataclass(frozen=True, kw_only=True)
class PreviewTrack:
    """Subtitles of one language on the page."""

    language: str
    cue_count: int
    mark_count: int
    """How often a cue breaks a rule."""


@dataclass(frozen=True, kw_only=True)
class PreviewResult:
    """The page that was written."""

    version: int = 1
    page: str
    """Absolute path."""
    title: str
    media: PreviewMedia | None
    """None: nothing is left to play."""
    tracks: tuple[PreviewTrack, ...]
    has_waveform: bool
    notes: tuple[str, ...]
    """Sentences about what is missing."""
