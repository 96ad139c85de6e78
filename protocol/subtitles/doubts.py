"""What can be doubtful about a line: one table for every engine, the notes and the docs."""

from __future__ import annotations

__all__ = [
    "ADDRESSES",
    "CREDITS",
    "DOUBTS",
    "EMPTY",
    "HASTE",
    "IMPROBABLE",
    "LENGTH",
    "LOOP",
    "NOTATION",
    "NUMBERS",
    "OTHER_LANGUAGE",
    "OUTSIDE_SPEECH",
    "TERM",
    "UNTRANSLATED",
    "WRONG_SCRIPT",
]

ADDRESSES = "addresses"
CREDITS = "credits"
EMPTY = "empty"
HASTE = "haste"
IMPROBABLE = "improbable"
LENGTH = "length"
LOOP = "loop"
NOTATION = "notation"
NUMBERS = "numbers"
OTHER_LANGUAGE = "other-language"
OUTSIDE_SPEECH = "outside-speech"
TERM = "term"
UNTRANSLATED = "untranslated"
WRONG_SCRIPT = "wrong-script"

DOUBTS: dict[str, str] = {
    EMPTY: "came back empty",
    UNTRANSLATED: "came back as it was",
    WRONG_SCRIPT: "came in another script",
    OTHER_LANGUAGE: "in another language than is said",
    LENGTH: "came far too long or too short",
    LOOP: "in a loop",
    NUMBERS: "with other numbers",
    ADDRESSES: "with another address",
    NOTATION: "without a note or a dash",
    TERM: "with a name otherwise than in the glossary",
    IMPROBABLE: "improbable",
    CREDITS: "like the credits of another film",
    OUTSIDE_SPEECH: "outside speech",
    HASTE: "too much for the time",
}
"""What `Segment.marks` may hold, in the order in which a person is told, and how it goes on after a number.

The last four are of translations of speech only: a text engine hears nothing. `OTHER_LANGUAGE` is of what was
heard: cues of a translation are told by the rule `language` of `protocol.subtitles.rules`.
"""
