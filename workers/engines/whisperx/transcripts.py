"""The timed words of a recognised chunk, as segments of one sentence each."""

from __future__ import annotations

from dataclasses import replace

from protocol.timeline import Segment
from workers.speech.word_times import TimedWord, to_words
from workers.text.writing import cut_to_sentences

__all__ = ["to_segments"]


def to_segments(segment: Segment, words: list[TimedWord], timed_by: str, language: str) -> list[Segment]:
    """Return the segment with its timed words, cut to sentences of `language`."""
    return cut_to_sentences(replace(segment, words=to_words(words, timed_by)), language)
