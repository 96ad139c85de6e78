"""The rules that cues are checked by, a row each, with the words that a person reads (docs/timed-text.md)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["INFORMING", "OF_ONE_TEXT", "QUALITY_RULES", "READING", "QualityRule"]


@dataclass(frozen=True, kw_only=True)
class QualityRule:
    """A rule of cues."""

    name: str
    of_many: str
    """Said after a number of cues that break it: `3 cues with a line too long`."""
    of_one: str
    """Said of one cue that breaks it."""
    unit: str = ""
    """What its numbers count; empty: it has no number worth showing."""
    informs_only: bool = False
    """A rule of taste: a file that breaks it is still as it should be."""
    of_reading: bool = False
    """About how fast a text is to read."""
    of_one_text: bool = False
    """Two languages in one cue need not keep it."""
    in_frames: bool = False
    """Its limit is so many frames of the film."""


QUALITY_RULES: dict[str, QualityRule] = {
    row.name: row
    for row in (
        QualityRule(
            name="line_length", of_many="with a line too long", of_one="line too long", unit="characters"
        ),
        QualityRule(name="line_count", of_many="with too many lines", of_one="too many lines", unit="lines"),
        QualityRule(
            name="reading_speed",
            of_many="too fast to read",
            of_one="too fast to read",
            unit="characters/s",
            of_reading=True,
        ),
        QualityRule(
            name="word_time",
            of_many="with too little time a word",
            of_one="too little time a word",
            unit="ms a word",
            of_reading=True,
        ),
        QualityRule(name="min_duration", of_many="too short", of_one="too short", unit="ms"),
        QualityRule(name="max_duration", of_many="too long", of_one="too long", unit="ms"),
        QualityRule(
            name="gap",
            of_many="too close to the one before",
            of_one="too close to the cue before",
            unit="ms",
            in_frames=True,
        ),
        QualityRule(
            name="overlap", of_many="over the one before", of_one="overlaps the cue before", unit="ms"
        ),
        QualityRule(
            name="repeated_text",
            of_many="repeating the one before",
            of_one="repeats the cue before",
            unit="lines",
            of_one_text=True,
        ),
        QualityRule(name="order", of_many="out of order", of_one="starts before the cue before", unit="ms"),
        QualityRule(name="empty", of_many="without text", of_one="no text"),
        QualityRule(name="edge_spaces", of_many="with spaces at an edge", of_one="space at a line's edge"),
        QualityRule(
            name="control_characters", of_many="with control characters", of_one="control characters"
        ),
        QualityRule(name="past_end", of_many="past the film's end", of_one="ends after the film", unit="ms"),
        QualityRule(
            name="below_zero", of_many="before the film's start", of_one="starts before the film", unit="ms"
        ),
        QualityRule(
            name="language",
            of_many="in another language",
            of_one="in another language",
            of_one_text=True,
        ),
        QualityRule(
            name="speakers",
            of_many="with more than two speakers",
            of_one="more than two speakers",
            unit="speakers",
            of_one_text=True,
        ),
        QualityRule(
            name="no_hyphens",
            of_many="with two speakers and no hyphens",
            of_one="two speakers and no hyphens",
            of_one_text=True,
        ),
        QualityRule(
            name="needless_hyphen",
            of_many="with a hyphen where one person speaks",
            of_one="hyphen where one person speaks",
            of_one_text=True,
        ),
        QualityRule(
            name="bad_break",
            of_many="with a line break inside a phrase",
            of_one="line break inside a phrase",
            informs_only=True,
        ),
        QualityRule(
            name="one_line",
            of_many="in lines that one line has room for",
            of_one="one line has room for it",
            unit="characters",
            informs_only=True,
            of_one_text=True,
        ),
        QualityRule(
            name="open_gap",
            of_many="after a gap that could be closed",
            of_one="gap that could be closed",
            unit="ms",
            informs_only=True,
            in_frames=True,
        ),
    )
}
"""By name, in the order of a report."""

INFORMING = frozenset(name for name, rule in QUALITY_RULES.items() if rule.informs_only)
OF_ONE_TEXT = frozenset(name for name, rule in QUALITY_RULES.items() if rule.of_one_text)
READING = frozenset(name for name, rule in QUALITY_RULES.items() if rule.of_reading)
