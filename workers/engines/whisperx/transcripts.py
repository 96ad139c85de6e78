"""Timed words of a recognised chunk to segments, a sentence each."""

from __future__ import annotations

from dataclasses import replace

from protocol.timeline import Segment, Word
from workers.speech.word_times import TimedWord
from workers.text.writing import cut_to_sentences

__all__ = ["to_segments"]


def to_segments(segment: Segment, words: list[TimedWord], timed_by: str, language: str) -> list[Segment]:
    """Return the segment with its timed words, cut to sentences of `language`."""
    timed = tuple(
        Word(
            text=word.text,
            start_ms=word.start_ms,
            end_ms=word.end_ms,
            probability=word.probability,
            timed_by=timed_by,
        )
        for word in words
    )
    return cut_to_sentences(replace(segment, words=timed), language)
