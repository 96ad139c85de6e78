"""Puts words, their marks and their pieces in order on the film's clock, to cut cues by them. Pure."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import replace

from workers.engines.common.cues.marks import NOTES, find_bonds, find_turns, is_lone
from workers.engines.common.cues.phrases import Token, count_graphemes
from workers.engines.common.cues.speakers import are_heard, by_voices
from workers.text.sentence_ends.rule import find_ends

__all__ = ["bind_marks", "in_order", "longest_rise"]

_FAR_MS = 2_000
"""A mark so far from a word may be a sound of its own: `♪`, and nobody sings."""


def bind_marks(
    tokens: Sequence[Token], language: str, longest: int, measure: Callable[[str], int]
) -> list[Token]:
    """Return the tokens with what they end and open; a lone mark is one token with the word it belongs to.

    Nobody says a mark, so the token has the times of its words. Where speakers are known, their dashes are
    taken out.
    """
    texts = [token.text for token in tokens]
    ends = find_ends(texts, language)
    turns = find_turns(texts, ends)
    if are_heard(tokens):
        tokens, turns = by_voices(tokens, ends, turns)
        texts = [token.text for token in tokens]
        ends = find_ends(texts, language)
    apart = [False, *(two.start_ms - one.end_ms > _FAR_MS for one, two in itertools.pairwise(tokens))]
    bonds = find_bonds(texts, turns, apart, language)
    bound: list[Token] = []
    for place, token in enumerate(tokens):
        ended = ends[place] or (place + 1 < len(tokens) and turns[place + 1])
        now = token
        if ended or turns[place]:
            now = replace(token, ends_sentence=ended, opens_turn=turns[place])
        if bonds[place] and not token.inside_word and not _are_two(bound[-1], now):
            joined = _join(bound[-1], now)
            if measure(joined.text) <= longest:
                bound[-1] = joined
                continue
        if bound and bound[-1].text[-1:] in NOTES and now.text[:1] in NOTES:
            bound[-1] = replace(bound[-1], ends_sentence=True)
        bound.append(now)
    return bound


def in_order(tokens: Sequence[Token], *, longest_ms: int, film_ms: int) -> list[Token]:
    """Return the tokens with times that never run back: starts rise, and each ends before the next starts.

    Times that contradict the rest are replaced by those of the token before, as few as possible. No time is
    below 0 or past `film_ms` (0: no limit), and no token is longer than `longest_ms`.
    """
    last_ms = max((max(token.start_ms, token.end_ms) for token in tokens), default=0)
    limit = film_ms if film_ms > 0 else max(0, last_ms)
    starts = [min(max(0, token.start_ms), limit) for token in tokens]
    kept = longest_rise(starts)
    last = 0
    for place, keep in enumerate(kept):
        last = starts[place] if keep else last
        starts[place] = last
    timed = []
    for place, token in enumerate(tokens):
        start = starts[place]
        ceiling = min(starts[place + 1] if place + 1 < len(starts) else limit, start + longest_ms, limit)
        end = max(start, min(token.end_ms, ceiling))
        timed.append(replace(token, start_ms=start, end_ms=end))
    return _share(timed, tokens, limit)


def longest_rise(values: Sequence[int]) -> list[bool]:
    """Mark a longest non-decreasing subsequence of `values` (patience sorting, O(n log n))."""
    tails: list[int] = []
    tail_places: list[int] = []
    before: list[int] = []
    for place, value in enumerate(values):
        at = bisect_right(tails, value)
        before.append(tail_places[at - 1] if at else -1)
        if at == len(tails):
            tails.append(value)
            tail_places.append(place)
        else:
            tails[at] = value
            tail_places[at] = place
    marks = [False] * len(values)
    place = tail_places[-1] if tail_places else -1
    while place >= 0:
        marks[place] = True
        place = before[place]
    return marks


def _share(timed: list[Token], given: Sequence[Token], limit: int) -> list[Token]:
    """Share out the time of tokens that start together, by their length.

    Pieces of one word start together, and so do words that the aligner gave up on.
    """
    shared: list[Token] = []
    place = 0
    while place < len(timed):
        stop = place + 1
        while stop < len(timed) and timed[stop].start_ms == timed[place].start_ms:
            stop += 1
        if stop - place == 1:
            shared.append(timed[place])
        else:
            start = timed[place].start_ms
            ceiling = timed[stop].start_ms if stop < len(timed) else limit
            wanted = max((token.end_ms for token in given[place:stop]), default=start)
            shared += _spread(timed[place:stop], max(start, min(wanted, ceiling)))
        place = stop
    return shared


def _spread(tokens: Sequence[Token], end_ms: int) -> list[Token]:
    start, total = tokens[0].start_ms, sum(token.graphemes for token in tokens)
    spread, done = [], 0
    for token in tokens:
        begin = start + (end_ms - start) * done // total
        done += token.graphemes
        spread.append(replace(token, start_ms=begin, end_ms=start + (end_ms - start) * done // total))
    return spread


def _are_two(left: Token, right: Token) -> bool:
    """Return whether two people say the tokens; a mark is said by nobody."""
    if is_lone(left.text) or is_lone(right.text):
        return False
    return left.speaker != right.speaker and left.speaker != "" and right.speaker != ""


def _join(left: Token, right: Token) -> Token:
    text = left.text + ("" if right.glued else " ") + right.text
    return replace(
        left,
        text=text,
        start_ms=right.start_ms if is_lone(left.text) else left.start_ms,
        end_ms=left.end_ms if is_lone(right.text) else right.end_ms,
        graphemes=count_graphemes(text),
        speaker=right.speaker if is_lone(left.text) else left.speaker,
        opens_turn=left.opens_turn or (right.opens_turn and is_lone(left.text)),
        ends_sentence=right.ends_sentence or (left.ends_sentence and is_lone(right.text)),
    )
