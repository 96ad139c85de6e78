"""The limits of a cue: the numbers that cutting and checking keep to."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.schema import SPARSE

__all__ = ["CueRules"]


@dataclass(frozen=True, kw_only=True)
class CueRules:
    """The limits of a cue; times in whole milliseconds, lengths in graphemes. Defaults: Netflix."""

    language: str = "en"
    media_duration_ms: int = 0
    """No cue goes past it; 0: not known."""
    max_line_graphemes: int = 42
    max_lines: int = 2
    max_cue_ms: int = 7_000
    min_cue_ms: int = 833
    min_gap_ms: int = 83
    max_graphemes_per_second: float = 20.0
    """A preference: if speech is faster, the cue still keeps all of its text."""
    linger_ms: int = 500
    """How long after its last word a cue may stay to be read."""
    close_gap_ms: int = 458
    """A gap of up to 11 frames (at 24 a second) is closed to `min_gap_ms`."""
    pause_ms: int = 600
    """A longer pause between two words separates cues, unless the words belong together more strongly."""
    min_word_ms: int = 0
    """A cue stays at least this long for each of its words if there is room."""
    hyphens: tuple[str, str] = field(default=("-", "-"), metadata=SPARSE)
    """What the first and the second line begin with where two people are heard in a cue."""
    names: tuple[tuple[str, str], ...] = field(default=(), metadata=SPARSE)
    """The id and the name of each speaker whose name is written where he begins to speak."""
