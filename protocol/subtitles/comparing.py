"""What `cpw compare` is answered with: the cues of a file or a job's track, and how near texts are.

Two programs answer. One of the environment common reads (`TrackFile`), one of the environment that has the
libraries measures: a `ScoreOrder` goes to its stdin, `Scores` come back.
"""

from __future__ import annotations

from dataclasses import dataclass

from protocol.timeline import UNDETERMINED, Cue

__all__ = [
    "CuePair",
    "CueScores",
    "ScoreOrder",
    "ScoredCue",
    "Scores",
    "TextPairs",
    "TextScores",
    "TrackFile",
]


@dataclass(frozen=True, kw_only=True)
class TrackFile:
    """The cues of a subtitle file, as they are in it."""

    file: str
    """Absolute path."""
    format: str
    language: str = UNDETERMINED
    language_by: str = ""
    """What told the language: `option`, `name` (of the file), `job` or `text`; empty: nothing did."""
    text_language: str = ""
    """The language that most of the text is in; empty: nobody can tell."""
    cues: tuple[Cue, ...] = ()
    """By their starts; none is without text."""


@dataclass(frozen=True, kw_only=True)
class TextPairs:
    """Lines that say the same thing, one of `b` for each of `a`."""

    a: tuple[str, ...]
    b: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class CuePair:
    """A subtitle file and what it should be."""

    reference: tuple[Cue, ...]
    other: tuple[Cue, ...]
    language: str = UNDETERMINED


@dataclass(frozen=True, kw_only=True)
class ScoreOrder:
    """What is to be measured."""

    texts: tuple[TextPairs, ...] = ()
    cues: CuePair | None = None


@dataclass(frozen=True, kw_only=True)
class TextScores:
    """How near the lines of `b` are to those of `a`, from 0 to 100."""

    chrf: float | None
    """chrF of the whole; None: `a` has no text."""
    lines: tuple[float, ...]
    """chrF of each line."""


@dataclass(frozen=True, kw_only=True)
class ScoredCue:
    """What the other file says in place of a cue of the reference."""

    text: str
    chrf: float
    """chrF++ of it."""


@dataclass(frozen=True, kw_only=True)
class CueScores:
    """How near a file is to its reference."""

    chrf: float | None
    """chrF++ of the whole, 0 to 100; None: the reference has no text."""
    suber: float
    """SubER: edits of words and breaks for a hundred of the reference's; 0 is the same file."""
    cues: tuple[ScoredCue, ...] = ()
    """One for each cue of the reference, in its order."""


@dataclass(frozen=True, kw_only=True)
class Scores:
    """The answer to a `ScoreOrder`, in its order."""

    texts: tuple[TextScores, ...] = ()
    cues: CueScores | None = None
    signatures: tuple[str, ...] = ()
    """How it was measured, as sacrebleu writes it: published figures have the same."""
