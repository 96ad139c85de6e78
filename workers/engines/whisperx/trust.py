"""What wav2vec2 made of a chunk, taken apart: sentences it timed well, and those it did not. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Segment
from workers.speech.word_times import TimedWord
from workers.text.writing import ends_sentence, join

__all__ = ["Piece", "take_apart"]

_MOST_UNTIMED = 0.5
"""A sentence with more of its words without a score was not heard: wav2vec2 does not know their letters."""
_WORD_MS = 100
"""A sentence that is left with less room for a word was not where its neighbours say."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some sentences of a chunk."""

    segment: Segment
    """Their text and where they are, without words."""
    words: tuple[TimedWord, ...]
    """With times that can be trusted; none where another method has to find them."""


def take_apart(
    segment: Segment, words: Sequence[TimedWord], language: str, min_score: float
) -> tuple[Piece, ...]:
    """Return the chunk as pieces, in order: sentences next to each other that are trusted alike are one.

    A word's `probability` is wav2vec2's score, None where it has none. A sentence is trusted where the mean
    score of its words is no less than `min_score`. Where one that is not has no room between its
    neighbours, none of the chunk is trusted.
    """
    runs: list[tuple[bool, list[TimedWord]]] = []
    for sentence in _sentences(words):
        trusted = _is_trusted(sentence, min_score)
        if runs and runs[-1][0] == trusted:
            runs[-1][1].extend(sentence)
        else:
            runs.append((trusted, sentence))
    pieces = [_piece(segment, runs, index, language) for index in range(len(runs))]
    if not pieces or not all(_has_room(piece, run) for piece, run in zip(pieces, runs, strict=True)):
        return (Piece(segment=replace(segment, words=()), words=()),)
    return tuple(pieces)


def _sentences(words: Sequence[TimedWord]) -> list[list[TimedWord]]:
    ends = [0, *(index + 1 for index, word in enumerate(words) if ends_sentence(word.text)), len(words)]
    return [list(words[low:high]) for low, high in itertools.pairwise(ends) if high > low]


def _is_trusted(sentence: Sequence[TimedWord], min_score: float) -> bool:
    scores = [word.probability for word in sentence if word.probability is not None]
    if not scores or len(scores) < (1 - _MOST_UNTIMED) * len(sentence):
        return False
    return sum(scores) / len(scores) >= min_score


def _piece(segment: Segment, runs: list[tuple[bool, list[TimedWord]]], index: int, language: str) -> Piece:
    """Return a run as a piece; between two runs the times of the trusted one say where it ends."""
    trusted, words = runs[index]
    start, end = segment.start_ms, segment.end_ms
    if index:
        start = words[0].start_ms if trusted else runs[index - 1][1][-1].end_ms
    if index + 1 < len(runs):
        end = words[-1].end_ms if trusted else runs[index + 1][1][0].start_ms
    whole = len(runs) == 1
    text = segment.text if whole else join([word.text for word in words], language)
    return Piece(
        segment=replace(segment, start_ms=start, end_ms=end, text=text, words=()),
        words=tuple(words) if trusted else (),
    )


def _has_room(piece: Piece, run: tuple[bool, list[TimedWord]]) -> bool:
    trusted, words = run
    return trusted or piece.segment.end_ms - piece.segment.start_ms >= _WORD_MS * len(words)
