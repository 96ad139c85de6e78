"""Hindi that was heard in Urdu's script, and Urdu in Hindi's, put into its own. Pure.

Spoken they are one language, and Whisper's small models write either in the script of the other now and then.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from protocol.languages import Tag
from protocol.timeline import OTHER_SCRIPT, Segment, Transcript
from workers.engines.common.scripts.convert import text_in_script

__all__ = ["in_own_script"]

_OWN = {"hi": ("Deva", "ARABIC"), "ur": ("Arab", "DEVANAGARI")}
"""Language to its script, and to the other one's as Unicode's character names begin."""


def in_own_script(transcript: Transcript) -> tuple[Transcript, int]:
    """Return the transcript with such segments changed and marked `OTHER_SCRIPT`, and how many they are.

    A segment counts where most of its letters are of the other script; each word keeps its times.
    """
    segments = tuple(_changed(segment, transcript.language_of(segment)) for segment in transcript.segments)
    count = sum(after is not before for before, after in zip(transcript.segments, segments, strict=True))
    return (replace(transcript, segments=segments) if count else transcript), count


def _changed(segment: Segment, language: str) -> Segment:
    if language not in _OWN:
        return segment
    script, other = _OWN[language]
    if not _is_mostly(segment.text, other):
        return segment
    tag = Tag(language, script)
    return replace(
        segment,
        text=text_in_script(segment.text, tag),
        words=tuple(replace(word, text=text_in_script(word.text, tag)) for word in segment.words),
        marks=tuple(sorted({*segment.marks, OTHER_SCRIPT})),
    )


def _is_mostly(text: str, script: str) -> bool:
    letters = [letter for letter in text if letter.isalpha()]
    foreign = sum(unicodedata.name(letter, "").startswith(script) for letter in letters)
    return foreign * 2 > len(letters)
