"""Breaks a cue into lines at the cheapest place, with the lower line rather the longer. Pure."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from workers.engines.common.cues.phrases import Token, border_cost, join_tokens
from workers.engines.common.cues.speakers import are_heard
from workers.engines.common.cues.widths import cells

__all__ = ["LineBreaks"]

_INSIDE_WORD = 45
_MIXED = 1_000.0
"""The cost of a speaker whose dash is inside a line: more than that of any other cue."""
_PART_OF_TURN = 80.0
"""The cost of a speaker who shares a cue with another, but says a sentence more elsewhere."""
_PART_OF_SENTENCE = 400.0
"""The same if that sentence is parted: more than a cue that is too short to be seen."""
_TOP_HEAVY = 0.6
_BOTTOM_HEAVY = 0.3
"""The cost of each grapheme that one line is longer than the other."""
_LOPSIDED = 12
"""What a lower line is longer by than this costs as much as in an upper line: two or three words alone above
a full line are read as a headline."""


class LineBreaks:
    """The tokens of a whole film, and the best lines of any stretch of them.

    `borders[place]` is the cost of a break before the token at `place` (`phrases.border_cost`), `ends[place]`
    whether a sentence ends with it. Each speaker of a dialogue has a line of his own, and two are in a cue at
    most: a stretch that cannot be so costs `_MIXED` more, and is not allowed where their voices are known.
    """

    def __init__(
        self, tokens: Sequence[Token], language: str, room: int, hyphens: tuple[str, str] = ("-", "-")
    ) -> None:
        """Take the tokens in order; `room` is the most graphemes of a line.

        Where speakers are known, `hyphens` begin the lines of two who share a cue.
        """
        self._is_heard = are_heard(tokens)
        self._hyphens = hyphens if self._is_heard else ("", "")
        self._hyphen_cells = [cells(hyphen, language) for hyphen in self._hyphens]
        self.ends = [token.ends_sentence for token in tokens]
        pairs = zip(itertools.pairwise(tokens), self.ends, strict=False)
        self.borders = [0, *(_border(*pair, language, ends=ends) for pair, ends in pairs)]
        turns = [0, *itertools.accumulate(token.opens_turn for token in tokens)]
        self._turns = turns
        self._turn_places = [place for place, token in enumerate(tokens) if token.opens_turn]
        self._tokens = tokens
        self._room = room
        # Where each token would begin and end if all were on one line.
        self._heads: list[int] = []
        self._tails = [0]
        for token in tokens:
            self._heads.append(self._tails[-1] + (not token.glued))
            self._tails.append(self._heads[-1] + token.graphemes)

    def length(self, first: int, stop: int) -> int:
        """Return the graphemes of a stretch on one line, with its spaces."""
        return self._tails[stop] - self._heads[first]

    def reach(self, first: int) -> int:
        """Return where the longest line stops that begins with the token `first`."""
        return bisect_right(self._tails, self._heads[first] + self._room, lo=first + 1) - 1

    def is_dialogue(self, first: int, stop: int) -> bool:
        """Return whether another speaker begins inside a stretch."""
        return self._turns[stop] > self._turns[first + 1]

    def best(self, first: int, stop: int, lines: int) -> tuple[float, tuple[int, ...]]:
        """Return the least cost of breaking a stretch into at most `lines`, and the places of the breaks.

        No break if it fits one line and one person speaks; an infinite cost if it does not fit at all.
        """
        if not self.is_dialogue(first, stop):
            return self._best(first, stop, lines)
        at = self._turn_places[self._turns[first + 1]]
        upper, lower = self._hyphen_cells
        if (
            lines > 1
            and not self.is_dialogue(at, stop)
            and self.length(at, stop) + lower <= self._room
            and self.length(first, at) + upper <= self._room
        ):
            return self._part(first) + self._part(stop), (at,)
        if self._is_heard:
            return float("inf"), ()
        cost, breaks = self._best(first, stop, lines)
        return cost + _MIXED * (self._turns[stop] - self._turns[first + 1]), breaks

    def _part(self, place: int) -> float:
        """Return what it costs that a cue of two speakers begins or stops at `place`, by whose turn it is."""
        if place in (0, len(self._tokens)) or self._tokens[place].opens_turn:
            return 0.0
        if not self.ends[place - 1]:
            return _PART_OF_SENTENCE
        return _PART_OF_TURN if self._turns[place] else 0.0

    def _best(self, first: int, stop: int, lines: int) -> tuple[float, tuple[int, ...]]:
        if self._tails[stop] - self._heads[first] <= self._room:
            return 0.0, ()
        cost = float("inf")
        breaks: tuple[int, ...] = ()
        if lines == 1:
            return cost, breaks
        lowest = first + 1
        if lines == 2:
            lowest = max(lowest, bisect_left(self._heads, self._tails[stop] - self._room, hi=stop))
        for at in range(lowest, min(self.reach(first), stop - 1) + 1):
            more, below = (0.0, ()) if lines == 2 else self._best(at, stop, lines - 1)
            # Bottom-heavy: a longer upper line weighs twice as much as a longer lower one.
            lean = self._tails[at] - self._heads[first] - self._tails[stop] + self._heads[at]
            price = more + self.borders[at] + (lean * _TOP_HEAVY if lean > 0 else -lean * _BOTTOM_HEAVY)
            if lean < -_LOPSIDED:
                price -= (lean + _LOPSIDED) * (_TOP_HEAVY - _BOTTOM_HEAVY)
            if price < cost:
                cost, breaks = price, (at, *below)
        return cost, breaks

    def lines(self, first: int, stop: int, lines: int) -> tuple[str, ...]:
        """Return the text of a stretch as at most `lines` lines; it must fit them."""
        texts = [join_tokens(part) for part in self._parts(first, stop, lines)]
        if self._is_heard and self.is_dialogue(first, stop):
            texts = [hyphen + text for hyphen, text in zip(self._hyphens, texts, strict=True)]
        return tuple(texts)

    def speakers(self, first: int, stop: int, lines: int) -> tuple[str, ...]:
        """Return the id of each of these lines' speakers; no ids where none is known."""
        parts = self._parts(first, stop, lines)
        if not self.is_dialogue(first, stop):
            parts = [self._tokens[first:stop]] * len(parts)
        found = [next((token.speaker for token in part if token.speaker), "") for part in parts]
        return tuple(found) if any(found) else ()

    def hyphened(self, first: int, stop: int) -> int:
        """Return how many graphemes the hyphens of a stretch take."""
        return sum(self._hyphen_cells) if self._is_heard and self.is_dialogue(first, stop) else 0

    def _parts(self, first: int, stop: int, lines: int) -> list[Sequence[Token]]:
        places = (first, *self.best(first, stop, lines)[1], stop)
        return [self._tokens[begin:end] for begin, end in itertools.pairwise(places)]


def _border(left: Token, right: Token, language: str, *, ends: bool) -> int:
    return _INSIDE_WORD if right.inside_word else border_cost(left.text, right.text, language, ends=ends)
