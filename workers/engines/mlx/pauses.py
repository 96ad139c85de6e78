"""Shortens words that cross-attention lets reach over a pause, where no VAD knows the pauses. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace

from workers.speech.word_times import TimedWord
from workers.text.sentence_ends.rule import find_ends

__all__ = ["MOMENT_MS", "leave_pauses"]

MOMENT_MS = 20
"""One of Whisper's frames."""
_LONG = 1.5
"""A word is examined where it is so many times as long as the chunk's median word ..."""
_LONG_MS = 300
"""... and no shorter than this."""
_QUIET = 0.1
"""A moment is quiet where it is 20 dB under the loudest moment of the word."""
_PAUSE = 8
"""So many quiet moments are a pause; the silence inside a consonant is shorter."""
_SHORTEST_MS = 60
_MOST = 2
_USUAL_MS = (200, 700)
"""The length of a usual word is at least the first, and at most the second."""


def leave_pauses(
    words: Sequence[TimedWord], loudness: Callable[[int, int], Sequence[float]], language: str = ""
) -> list[TimedWord]:
    """Return the words; a long one is cut to its last stretch of sound between two pauses.

    `loudness` gives the amplitude of each `MOMENT_MS` between two times. Where noise never stops, nothing is
    quiet: there the first and the last word of a sentence are cut to the length of two usual words
    (`mlx_whisper.timing.add_word_timestamps`).
    """
    if not words:
        return []
    usual = statistics.median(word.end_ms - word.start_ms for word in words)
    long_ms = max(_LONG_MS, _LONG * usual)
    left = [_cut(word, loudness) if word.end_ms - word.start_ms > long_ms else word for word in words]
    most_ms = round(_MOST * max(_USUAL_MS[0], min(usual, _USUAL_MS[1])))
    ends = find_ends([word.text for word in left], language)
    return [
        _shorten(word, most_ms, opens=opens, closes=closes)
        for word, opens, closes in zip(left, [True, *ends[:-1]], ends, strict=True)
    ]


def _shorten(word: TimedWord, most_ms: int, *, opens: bool, closes: bool) -> TimedWord:
    if word.end_ms - word.start_ms <= most_ms:
        return word
    if opens:
        return replace(word, start_ms=word.end_ms - most_ms)
    return replace(word, end_ms=word.start_ms + most_ms) if closes else word


def _cut(word: TimedWord, loudness: Callable[[int, int], Sequence[float]]) -> TimedWord:
    moments = loudness(word.start_ms, word.end_ms)
    limit = _QUIET * max(moments, default=0.0)
    loud = [index for index, moment in enumerate(moments) if moment > limit]
    if not loud:
        return word
    first = loud[-1]
    for index in reversed(loud):
        if first - index > _PAUSE:
            break
        first = index
    start_ms = word.start_ms + first * MOMENT_MS if first >= _PAUSE else word.start_ms
    end_ms = word.start_ms + (loud[-1] + 1) * MOMENT_MS
    if len(moments) - loud[-1] <= _PAUSE:
        end_ms = word.end_ms
    return replace(word, start_ms=start_ms, end_ms=end_ms) if end_ms - start_ms >= _SHORTEST_MS else word
