"""The cost of each way to cut words into cues, and the cheapest of all ways. Pure.

The cost of a way is the sum over its cues of

- `_CUE`, for one more cue;
- the border it ends at: from 0 where a sentence ends to 120 before a closing bracket (`phrases.border_cost`),
  less what it would cost to keep both sides together: a sentence end (`_INSIDE_SENTENCE_END`), a relative
  clause (`_INSIDE_RELATIVE`) or a pause;
- three quarters of its line break (`line_breaks`), as the reader sees both halves together; a second speaker
  has the lower line;
- its length: a cue should be full enough, so that the cues of one sentence are about as long (`_UNEVEN`);
- too little time to see it or to read it: by how fast it is, and by the time that lacks (`_LATE_PER_MS`), so
  that words go over to a neighbour which has time.

A cue that is not allowed costs infinitely much: it does not fit its lines, or its words last too long, or it
goes over a pause of two seconds (Netflix says that such a pause interrupts a sentence), or a speaker who is
known shares a line with another.

A pause inside a sentence is weighed against what joins its sides. After a comma or before a conjunction,
0.6 s separate the cues. Inside a phrase ("ask not what ... your country can do for you"), a second does not:
nobody reads half a phrase as a cue, and a reader needs about that second to get to the other half.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from workers.engines.common.cues.line_breaks import LineBreaks
from workers.engines.common.cues.phrases import Token, joiner, opens_relative
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.cues.widths import cells_of_one

__all__ = ["HARD_PAUSE_MS", "Prices", "cheapest", "cost"]

HARD_PAUSE_MS = 2_000
"""A longer pause always separates cues, however short they are."""
_CUE = 8.0
_INSIDE_SENTENCE_END = 50.0
_INSIDE_RELATIVE = 8.0
"""`the wizard | who had vanished`: as good a border as a comma, though no comma is there."""
_INSIDE_PAUSE = 20.0
_INSIDE_PAUSE_PER_MS = 0.03
_PAUSE_RELIEF_PER_MS = 1 / 40
"""Of two equal borders, the one where the speaker pauses is better."""
_LINE_BREAK = 0.75
_TOO_SHORT = 50.0
_TOO_SHORT_SHARE = 150.0
_TOO_FAST_PER_GRAPHEME = 3.0
_TOO_FAST_MOST = 40.0
_LATE_PER_MS = 0.06
"""The cost of each millisecond that a reader lacks: words go over to a neighbour of their sentence."""
_UNEVEN = 12.0
_FULL_ENOUGH = 0.6
"""The share of a cue's room at which it costs least."""


class Prices:
    """The cost of any stretch of a film's tokens as a cue; the longest stops at `reaches[first]`."""

    def __init__(self, tokens: Sequence[Token], rules: CueRules) -> None:
        """Take at least one token, with its length in cells; the tokens' times rise (`cut.timed_tokens`)."""
        self._room = rules.max_line_graphemes * cells_of_one(rules.language)
        self.breaks = LineBreaks(tokens, rules.language, self._room, rules.hyphens)
        self._rules = rules
        self._starts = [token.start_ms for token in tokens]
        self._ends = [token.end_ms for token in tokens]
        film_end = rules.media_duration_ms or self._ends[-1] + rules.linger_ms + rules.min_cue_ms
        # A cue that stops before a token may stay until this moment at most: the next cue starts there.
        self._deadlines = [0, *(start - rules.min_gap_ms for start in self._starts[1:]), film_end]
        self._nexts = _next_sentences(self.breaks.ends)
        self._words = [0, *itertools.accumulate(map(_words_of, tokens))]
        spaced = joiner(rules.language) != ""
        self._broken = [0, *itertools.accumulate(token.inside_word and spaced for token in tokens)]
        self._cell_ms = 1_000 / rules.max_graphemes_per_second / cells_of_one(rules.language)
        self._shapes = _shapes(self._room, rules.max_lines)
        pairs = zip(itertools.pairwise(tokens), self.breaks.ends, strict=False)
        parts = [_border(left, right, rules, ends=ends) for (left, right), ends in pairs]
        parts = [cost + less for cost, less in zip(self.breaks.borders[1:], parts, strict=True)]
        self._borders = [0.0, *parts, 0.0]
        self.reaches = self._reach(tokens)
        self._lates = [self._lacking_ms(first, stop) for first, stop in enumerate(self._nexts)]

    def of(self, first: int, stop: int, most: float = float("inf")) -> float:
        """Return the cost of the tokens from `first` to before `stop`, within its reach, as one cue.

        If the cost is `most` or more, the result is any number from `most` on; infinity if the cue lasts too
        long.
        """
        rules, start = self._rules, self._starts[first]
        spoken = self._ends[stop - 1] - start
        if spoken > rules.max_cue_ms and stop > first + 1:
            return float("inf")
        least = rules.min_cue_ms
        seen = min(max(spoken + rules.linger_ms, least), self._deadlines[stop] - start)
        size = self.breaks.length(first, stop)
        total = _CUE + self._borders[stop] + self._shapes[size]
        if seen < least:
            total += _TOO_SHORT + _TOO_SHORT_SHARE * (least - seen) / least
        late = self.reading_ms(first, stop) - seen
        if late > 0:
            fast = late / max(seen, 1) * rules.max_graphemes_per_second
            total += min(_TOO_FAST_MOST, fast * _TOO_FAST_PER_GRAPHEME)
        if total < most:
            total += _LATE_PER_MS * (
                max(0.0, late) if self._nexts[first] >= stop else self._late(first, stop)
            )
        if total < most and (size > self._room or self.breaks.is_dialogue(first, stop)):
            total += _LINE_BREAK * self.breaks.best(first, stop, rules.max_lines)[0]
        return total

    def _late(self, first: int, stop: int) -> float:
        """Return how much time a reader lacks, by sentences: one that joins another lacks as much."""
        late = 0.0
        while self._nexts[first] < stop:
            late += self._lates[first]
            first = self._nexts[first]
        return late + self._lacking_ms(first, stop)

    def _lacking_ms(self, first: int, stop: int) -> float:
        start, rules = self._starts[first], self._rules
        lasts = max(self._ends[stop - 1] + rules.linger_ms - start, rules.min_cue_ms)
        return max(0.0, self.reading_ms(first, stop) - min(lasts, self._deadlines[stop] - start))

    def reading_ms(self, first: int, stop: int) -> float:
        """Return how long it takes to read a stretch; a line break inside a word counts as a space."""
        words = self._words[stop] - self._words[first]
        cells = self.breaks.length(first, stop) + self._broken[stop] - self._broken[first + 1]
        cells += self.breaks.hyphened(first, stop)
        return max(cells * self._cell_ms, words * self._rules.min_word_ms)

    def _reach(self, tokens: Sequence[Token]) -> list[int]:
        count = next_hard = len(tokens)
        lines = [self.breaks.reach(first) for first in range(count)]
        reaches = [0] * count
        for first in range(count - 1, -1, -1):
            reach = first
            for _ in range(self._rules.max_lines):
                reach = lines[reach] if reach < count else count
            reaches[first] = min(reach, next_hard)
            if first and tokens[first].start_ms - tokens[first - 1].end_ms > HARD_PAUSE_MS:
                next_hard = first
        return reaches


def cheapest(prices: Prices) -> list[tuple[int, int]]:
    """Return the cheapest of all ways to cut: the cues as (first, stop) places of tokens."""
    reaches, of = prices.reaches, prices.of
    best = [0.0] + [float("inf")] * len(reaches)
    came = [0] * len(best)
    for first, reach in enumerate(reaches):
        base = best[first]
        for stop in range(first + 1, reach + 1):
            most = best[stop] - base
            price = of(first, stop, most)
            if price < most:
                best[stop] = base + price
                came[stop] = first
            elif price == float("inf"):
                break
    spans, stop = [], len(reaches)
    while stop > 0:
        spans.append((came[stop], stop))
        stop = came[stop]
    return spans[::-1]


def cost(spans: Sequence[tuple[int, int]], prices: Prices) -> float:
    """Return the cost of a way to cut, with cues as (first, stop): `cheapest` makes this sum least."""
    return sum(
        prices.of(first, stop) if stop <= prices.reaches[first] else float("inf") for first, stop in spans
    )


def _words_of(token: Token) -> int:
    """Return how many words are read; a speaker's name is read, too."""
    return (not token.inside_word) + (len(token.label.split()) if token.label else 0)


def _shapes(line: int, lines: int) -> list[float]:
    """Return the cost of a cue's length, by its cells."""
    room = line * lines
    return [_UNEVEN * (size / room - _FULL_ENOUGH) ** 2 for size in range(room + lines)]


def _next_sentences(ends: Sequence[bool]) -> list[int]:
    """Return for each token where the sentence after it begins."""
    places = [len(ends)] * len(ends)
    for place in range(len(ends) - 2, -1, -1):
        places[place] = place + 1 if ends[place] else places[place + 1]
    return places


def _border(left: Token, right: Token, rules: CueRules, *, ends: bool) -> float:
    """Return what a cut between two tokens saves (0 or less): the cost of keeping them together."""
    pause = max(0, right.start_ms - left.end_ms)
    saved = 0.0
    if ends and not right.inside_word:
        saved += _INSIDE_SENTENCE_END
    if opens_relative(left.text, right.text, rules.language):
        saved += _INSIDE_RELATIVE
    if pause > rules.pause_ms:
        saved += _INSIDE_PAUSE + (pause - rules.pause_ms) * _INSIDE_PAUSE_PER_MS
    return -saved - min(pause, rules.pause_ms) * _PAUSE_RELIEF_PER_MS
