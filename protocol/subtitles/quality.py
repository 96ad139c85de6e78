"""The quality report of a subtitle file: every rule, and the cues that break it.

It stands beside a job's subtitles as `<title>.<language>.qc.json`, and is what `cpw qc` is answered with by
the program `...common.qc`. Fields stand in the order in which they are written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from protocol.timeline import UNDETERMINED

__all__ = ["BrokenCue", "BrokenLine", "CheckedFilm", "FileReport", "Number", "QualityReport", "RuleReport"]

Number: TypeAlias = int | float
"""As it is written: a whole number stays one."""


@dataclass(frozen=True, kw_only=True)
class BrokenCue:
    """A cue that breaks a rule. `cue` is counted from 1; `value` and `limit` are in the rule's unit."""

    cue: int
    start_ms: int
    end_ms: int
    lines: tuple[str, ...] = ()
    value: Number
    limit: Number
    reason: str = ""
    """Why the rule could not be kept; empty: it could, or nobody knows."""


@dataclass(frozen=True, kw_only=True)
class BrokenLine:
    """A line of a file that players cannot read as it was meant. `line` is counted from 1."""

    line: int
    kind: str
    """`times`, `lost_character` or `markup`."""
    message: str
    """What it has, after `line 12 has`."""
    text: str


@dataclass(frozen=True, kw_only=True)
class RuleReport:
    """A rule and the cues that break it."""

    rule: str
    limit: Number | None = None
    """None: the rule does not apply to this file."""
    unit: str = ""
    """Empty: the rule has no number worth showing."""
    informs_only: bool = False
    """A rule of taste: a file that breaks it is still as it should be."""
    count: int = 0
    unavoidable: int = 0
    """How many of these cues have a reason."""
    cues: tuple[BrokenCue, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _Versioned:
    version: int = 1


@dataclass(frozen=True, kw_only=True)
class QualityReport(_Versioned):
    """What was found in cues."""

    profile: str = ""
    language: str = UNDETERMINED
    media_duration_ms: int | None = None
    """Length of the film; None: not known."""
    ok: bool = True
    sentence: str = ""
    """Which rules are broken how often; empty: none."""
    cue_count: int = 0
    rules: tuple[RuleReport, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CheckedFilm:
    """The film that a subtitle file was checked with."""

    file: str
    frames_per_second: float | None
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class _CheckedFile(_Versioned):
    file: str
    """Absolute path."""
    format: str
    encoding: str
    film: CheckedFilm | None
    frames_per_second: float | None = None
    """By which gaps were counted; None: neither the film nor the file tells it, and 24 was taken."""
    lines: tuple[BrokenLine, ...] = ()
    """What is wrong with the file itself, besides its cues."""


@dataclass(frozen=True, kw_only=True)
class FileReport(QualityReport, _CheckedFile):
    """The report of one file; which file it is stands first, as fields of the last base do."""
