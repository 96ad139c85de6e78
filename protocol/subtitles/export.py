"""export: a job's subtitles written again; `cpw export` asks, the program `...common.export` answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["ExportRequest", "ExportResult", "ExportedFile"]


@dataclass(frozen=True, kw_only=True)
class ExportRequest:
    """What to write."""

    formats: tuple[str, ...] = ("srt",)
    profile: str = ""
    """Empty: the job's own, with what was set for it."""
    languages: tuple[str, ...] = ()
    """Empty: every language that the job has, or, where `pairs` are asked for, none."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Languages that share a file, the first above the second."""
    karaoke: bool = False
    speaker_colours: bool = False
    speaker_names: Mapping[str, str] = field(default_factory=dict)
    """The id of a speaker to what a person calls it."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Numbers of the profile to change, by their names in `CueNumbers`."""
    out: str = ""
    """Folder to write to; empty: `export` in the job folder."""
    burn: str = ""
    """Language to render into the picture; empty: none."""
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class ExportedFile:
    """A file that was written."""

    path: str
    """Absolute."""
    language: str
    """A code, or two of a bilingual file: `hi+en`."""
    format: str
    """A subtitle format, `qc.json` (the quality report) or `mp4`."""
    cue_count: int | None
    """None: not a file of cues."""
    quality: str
    """Which rules its cues break, in a sentence; empty: none, or not checked."""


@dataclass(frozen=True, kw_only=True)
class ExportResult:
    """The files that were written, all in `folder`."""

    job: str
    folder: str
    files: tuple[ExportedFile, ...]
    notes: tuple[str, ...]
    """Sentences about files of the job that are gone."""
