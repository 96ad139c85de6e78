"""The quality report of a subtitle file: every rule, and the cues that break it.

It stands beside a job's subtitles as `<title>.<language>.qc.json`, and is what `cpw qc` is answered with by
the program `...common.qc`. Fields stand in the order in which they are written.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from protocol.schema import SPARSE
from protocol.timeline import UNDETERMINED

__all__ = [
    "BrokenCue",
    "BrokenLine",
    "CheckedFilm",
    "FileReport",
    "ForeignCues",
    "Number",
    "QualityReport",
    "RuleReport",
]

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
class ForeignCues:
    """Cues in a row that are in `language` and should be in another one (ISO 639-1)."""

    first_cue: int
    """Counted from 1, as `last_cue`; a cue between them may be as it should be."""
    last_cue: int
    start_ms: int
    end_ms: int
    language: str
    instead_of: str
    first_line: int | None = None
    """Where its text begins in the file, counted from 1; None: there is no file, or it is not of lines."""
    last_line: int | None = None


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
    foreign: tuple[ForeignCues, ...] = field(default=(), metadata=SPARSE)
    """The stretches that the rule `language` found."""


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
    language_by: str = ""
    """What told the language: `option`, `name` (of the file) or `text`; empty: nothing did."""
    in_latin: int = field(default=0, metadata=SPARSE)
    """So many cues are in Latin letters, of a language that has letters of its own: nobody judged them."""
    lines: tuple[BrokenLine, ...] = ()
    """What is wrong with the file itself, besides its cues."""


@dataclass(frozen=True, kw_only=True)
class FileReport(QualityReport, _CheckedFile):
    """The report of one file; which file it is stands first, as fields of the last base do."""
