"""Takes a chunk apart: sentences that wav2vec2 timed well, and sentences that it did not. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Segment
from workers.speech.word_times import TimedWord
from workers.text.sentence_ends.rule import find_ends
from workers.text.writing import join

__all__ = ["ChunkPart", "take_apart"]

_MOST_UNTIMED = 0.5
"""A sentence with a larger part of its words without a score is not trusted: wav2vec2 does not know their
letters."""
_WORD_MS = 100
"""A sentence with less room for a word is not where its neighbours say."""


@dataclass(frozen=True, kw_only=True)
class ChunkPart:
    """Some sentences of a chunk."""

    segment: Segment
    """Their text and their times, without words."""
    words: tuple[TimedWord, ...]
    """The words, with times that can be trusted; none where another method must find them."""


def take_apart(
    segment: Segment, words: Sequence[TimedWord], language: str, min_score: float
) -> tuple[ChunkPart, ...]:
    """Return the chunk as parts, in order: neighbours that are all trusted, or all not, are one part.

    The `probability` of a word is wav2vec2's score, None where it has none. A sentence is trusted where the
    mean score of its words is at least `min_score`. Where a sentence that is not trusted has no room between
    its neighbours, nothing of the chunk is trusted.
    """
    runs: list[tuple[bool, list[TimedWord]]] = []
    for sentence in _sentences(words, language):
        trusted = _is_trusted(sentence, min_score)
        if runs and runs[-1][0] == trusted:
            runs[-1][1].extend(sentence)
        else:
            runs.append((trusted, sentence))
    parts = [_part(segment, runs, index, language) for index in range(len(runs))]
    if not parts or not all(_has_room(part, run) for part, run in zip(parts, runs, strict=True)):
        return (ChunkPart(segment=replace(segment, words=()), words=()),)
    return tuple(parts)


def _sentences(words: Sequence[TimedWord], language: str) -> list[list[TimedWord]]:
    found = find_ends([word.text for word in words], language)
    ends = [0, *(index for index, ended in enumerate(found, 1) if ended), len(words)]
    return [list(words[low:high]) for low, high in itertools.pairwise(ends) if high > low]


def _is_trusted(sentence: Sequence[TimedWord], min_score: float) -> bool:
    scores = [word.probability for word in sentence if word.probability is not None]
    if not scores or len(scores) < (1 - _MOST_UNTIMED) * len(sentence):
        return False
    return sum(scores) / len(scores) >= min_score


def _part(segment: Segment, runs: list[tuple[bool, list[TimedWord]]], index: int, language: str) -> ChunkPart:
    """Return a run of sentences as a part; between two runs the times of the trusted one set the border."""
    trusted, words = runs[index]
    start, end = segment.start_ms, segment.end_ms
    if index:
        start = words[0].start_ms if trusted else runs[index - 1][1][-1].end_ms
    if index + 1 < len(runs):
        end = words[-1].end_ms if trusted else runs[index + 1][1][0].start_ms
    whole = len(runs) == 1
    text = segment.text if whole else join([word.text for word in words], language)
    return ChunkPart(
        segment=replace(segment, start_ms=start, end_ms=end, text=text, words=()),
        words=tuple(words) if trusted else (),
    )


def _has_room(part: ChunkPart, run: tuple[bool, list[TimedWord]]) -> bool:
    trusted, words = run
    return trusted or part.segment.end_ms - part.segment.start_ms >= _WORD_MS * len(words)
