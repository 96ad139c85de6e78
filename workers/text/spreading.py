"""Gives translated words the time in which the sentence was spoken. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate, pairwise, takewhile

from protocol.timeline import Span, Word
from workers.text.pieces import count_graphemes, pieces_of, share_time
from workers.text.sentences import Sentence
from workers.text.writing import ends_clause, join

__all__ = ["spread"]

_PAUSE_MS = 300
"""A shorter gap between two words of the source is no pause."""
_NEAR = 0.25
"""A pause may move over so much of the shorter side's text, which is then spoken faster by as much."""


def spread(text: str, sentence: Sentence, language: str) -> tuple[Word, ...]:
    """Return the words of `text`, a translation of the sentence into `language`, with times.

    The words share, by their lengths, the time in which the sentence was spoken without its pauses. A word
    that would lie across a pause goes to the side of its larger part; where a clause ends a few words away,
    the pause moves there. The words between two pauses then fill that time. Times rise, every word has a
    length, and none lies outside the sentence. Joined (`writing.join`) the words are the text; where there
    are more words than milliseconds, several become one.
    """
    pieces = pieces_of(text, language)
    stretches = _spoken(sentence)
    words: list[Word] = []
    for stretch, texts in zip(stretches, _to_clauses(_allot(pieces, stretches), language), strict=True):
        fitting = _at_most(texts, stretch.end_ms - stretch.start_ms, language)
        words += share_time(fitting, stretch.start_ms, stretch.end_ms)
    return tuple(words)


def _spoken(sentence: Sentence) -> list[Span]:
    """Return when somebody speaks in the sentence: its words, with short gaps closed. Never empty."""
    stretches: list[Span] = []
    for word in sentence.words:
        if stretches and word.start_ms - stretches[-1].end_ms <= _PAUSE_MS:
            stretches[-1] = Span(start_ms=stretches[-1].start_ms, end_ms=word.end_ms)
        else:
            stretches.append(Span(start_ms=word.start_ms, end_ms=word.end_ms))
    # A word without length after a pause gives no time in which anything could be shown.
    found = [stretch for stretch in stretches if stretch.start_ms < stretch.end_ms]
    return found or [Span(start_ms=sentence.start_ms, end_ms=sentence.end_ms)]


def _allot(pieces: Sequence[str], stretches: Sequence[Span]) -> list[list[str]]:
    """Return the pieces of each stretch; one that would lie in several goes where most of it would."""
    spoken = list(accumulate((stretch.end_ms - stretch.start_ms for stretch in stretches), initial=0))
    lengths = [max(1, count_graphemes(piece)) for piece in pieces]
    reached = list(accumulate(lengths, initial=0))
    allotted: list[list[str]] = [[] for _ in stretches]
    now = 0
    for piece, (begin, end) in zip(pieces, pairwise(reached), strict=True):
        share = spoken[-1] / reached[-1]
        now = _place(begin * share, end * share, spoken, now)
        allotted[now].append(piece)
    return allotted


def _to_clauses(allotted: list[list[str]], language: str) -> list[list[str]]:
    """Return the pieces with each pause moved to the nearest end of a clause, if one is near.

    People pause between clauses, and another language needs more or fewer words for a clause.
    """
    for left, right in pairwise(allotted):
        if not left or not right or ends_clause(left[-1], right[0], language):
            continue
        most = _NEAR * min(sum(map(count_graphemes, left)), sum(map(count_graphemes, right)))
        later, sooner = _until_clause(right, most, language), _since_clause(left, most, language)
        if later and not 0 < sooner < later:
            left.extend(right[:later])
            del right[:later]
        elif sooner:
            right[:0] = left[-sooner:]
            del left[-sooner:]
    return allotted


def _until_clause(pieces: Sequence[str], most: float, language: str) -> int:
    """Return how many of the first pieces end a clause, in at most `most` graphemes; 0: none do."""
    lengths = accumulate(map(count_graphemes, pieces))
    near = takewhile(lambda pair: pair[1] <= most, zip(pairwise(pieces), lengths, strict=False))
    return next((count for count, (pair, _) in enumerate(near, 1) if ends_clause(*pair, language)), 0)


def _since_clause(pieces: Sequence[str], most: float, language: str) -> int:
    """Return how many of the last pieces follow a clause, in at most `most` graphemes; 0: none do."""
    lengths = accumulate(map(count_graphemes, reversed(pieces)))
    pairs = zip(pieces[-2::-1], pieces[::-1], strict=False)
    near = takewhile(lambda pair: pair[1] <= most, zip(pairs, lengths, strict=False))
    return next((count for count, (pair, _) in enumerate(near, 1) if ends_clause(*pair, language)), 0)


def _place(start: float, end: float, borders: Sequence[int], earliest: int) -> int:
    """Return the stretch, `earliest` or later, in which the largest part of the word lies."""
    best, most = earliest, 0.0
    for index in range(earliest, len(borders) - 1):
        part = min(end, borders[index + 1]) - max(start, borders[index])
        if part > most:
            best, most = index, part
        if borders[index + 1] >= end:
            break
    return best


def _at_most(texts: list[str], count: int, language: str) -> list[str]:
    if len(texts) <= count:
        return texts
    size = math.ceil(len(texts) / count)
    return [join(texts[at : at + size], language) for at in range(0, len(texts), size)]
