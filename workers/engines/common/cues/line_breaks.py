"""Breaks a cue into lines at the cheapest place, with the lower line rather the longer. Pure."""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from workers.engines.common.cues.phrases import Token, border_cost, join_tokens
from workers.text.sentence_ends.rule import find_ends

__all__ = ["LineBreaks"]

_INSIDE_WORD = 45
_TOP_HEAVY = 0.6
_BOTTOM_HEAVY = 0.3
"""The cost of each grapheme that one line is longer than the other."""
_LOPSIDED = 12
"""What a lower line is longer by than this costs as much as in an upper line: two or three words alone above
a full line are read as a headline."""


class LineBreaks:
    """The tokens of a whole film, and the best lines of any stretch of them.

    `borders[place]` is the cost of a break before the token at `place` (`phrases.border_cost`), `ends[place]`
    whether a sentence ends with it.
    """

    def __init__(self, tokens: Sequence[Token], language: str, room: int) -> None:
        """Take the tokens in order; `room` is the most graphemes of a line."""
        self.ends = find_ends([token.text for token in tokens], language)
        pairs = zip(itertools.pairwise(tokens), self.ends, strict=False)
        self.borders = [0, *(_border(*pair, language, ends=ends) for pair, ends in pairs)]
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

    def best(self, first: int, stop: int, lines: int) -> tuple[float, tuple[int, ...]]:
        """Return the least cost of breaking a stretch into at most `lines`, and the places of the breaks.

        No break if it fits one line; an infinite cost if it does not fit at all.
        """
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
            more, below = (0.0, ()) if lines == 2 else self.best(at, stop, lines - 1)
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
        places = (first, *self.best(first, stop, lines)[1], stop)
        return tuple(join_tokens(self._tokens[begin:end]) for begin, end in itertools.pairwise(places))


def _border(left: Token, right: Token, language: str, *, ends: bool) -> int:
    return _INSIDE_WORD if right.inside_word else border_cost(left.text, right.text, language, ends=ends)
