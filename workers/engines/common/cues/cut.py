"""Cuts a film's words into cues in the cheapest way, by dynamic programming. Pure.

First `timed_tokens` makes words into unbreakable tokens with times that rise. Then `costs` chooses the cuts
and `line_breaks` the lines. Last, `_place` sets in- and out-times. The numbers and their sources:
docs/timed-text.md.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

from protocol.timeline import Cue, Word
from workers.engines.common.cues.clock import bind_marks, in_order
from workers.engines.common.cues.costs import HARD_PAUSE_MS, Prices, cheapest
from workers.engines.common.cues.phrases import Token, join_tokens, tokenise
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.cues.speakers import are_heard, open_turns
from workers.engines.common.cues.widths import cells, cells_of_one, in_cells

__all__ = ["CueRules", "cut", "sentences", "spoken_sentences", "timed_tokens"]


def cut(words: Sequence[Word], rules: CueRules) -> tuple[Cue, ...]:
    """Return the cues of `words`: every word once, in order; times rise and never overlap.

    The limits of lines and graphemes always hold. Those of durations and gaps hold if the words' times leave
    room. A cue lasts its least duration even if that is more than `linger_ms` after its only short word.
    """
    tokens = timed_tokens(words, rules)
    if not tokens:
        return ()
    prices = Prices(tokens, rules)
    spans = cheapest(prices)
    times = _place(tokens, spans, prices, rules)
    return tuple(
        Cue(
            start_ms=start,
            end_ms=end,
            lines=prices.breaks.lines(first, stop, rules.max_lines),
            speakers=prices.breaks.speakers(first, stop, rules.max_lines),
        )
        for (first, stop), (start, end) in zip(spans, times, strict=True)
    )


def sentences(words: Sequence[Word], rules: CueRules) -> tuple[str, ...]:
    """Return the text as sentences; a long pause also ends one, as recognisers may leave out full stops."""
    return tuple(text for _, text in spoken_sentences(words, rules))


def spoken_sentences(words: Sequence[Word], rules: CueRules) -> tuple[tuple[str, str], ...]:
    """Return the same sentences, each behind the id of its speaker; empty where that is not known."""
    tokens = timed_tokens(words, replace(rules, names=()))
    found, first = [], 0
    for place in range(1, len(tokens) + 1):
        if place == len(tokens) or _ends_thought(tokens[place - 1], tokens[place]):
            found.append((tokens[first].speaker, join_tokens(tokens[first:place])))
            first = place
    return tuple(found)


def timed_tokens(words: Sequence[Word], rules: CueRules) -> list[Token]:
    """Return the words as tokens that fit a line, with times that rise on the film's clock.

    Their lengths are in cells (`widths`), of which a character takes two in wide scripts.
    """
    room = rules.max_line_graphemes * cells_of_one(rules.language)
    measure = functools.partial(cells, language=rules.language)
    tokens = bind_marks(tokenise(words, rules.language, room, measure), rules.language, room, measure)
    tokens = in_cells(tokens, rules.language, room)
    if are_heard(tokens):
        tokens = open_turns(tokens, rules)
    return in_order(tokens, longest_ms=rules.max_cue_ms, film_ms=rules.media_duration_ms)


def _ends_thought(left: Token, right: Token) -> bool:
    return right.start_ms - left.end_ms > HARD_PAUSE_MS or (left.ends_sentence and not right.inside_word)


def _place(
    tokens: Sequence[Token], spans: Sequence[tuple[int, int]], prices: Prices, rules: CueRules
) -> list[tuple[int, int]]:
    """Return in- and out-times: a cue comes with its first word and goes when it has been read."""
    starts, gap = _starts([tokens[first].start_ms for first, _ in spans], rules)
    film_end = rules.media_duration_ms or starts[-1] + rules.max_cue_ms
    times = []
    for place, (first, stop) in enumerate(spans):
        start, spoken = starts[place], tokens[stop - 1].end_ms
        following = starts[place + 1] if place + 1 < len(spans) else None
        longest = start + rules.max_cue_ms
        ceiling = min(longest, film_end if following is None else following - gap)
        reading = max(rules.min_cue_ms, round(prices.reading_ms(first, stop)))
        furthest = max(spoken + rules.linger_ms, start + rules.min_cue_ms)
        end = min(max(spoken, start + reading), furthest, ceiling)
        if following is not None and following - end <= rules.close_gap_ms and following - gap <= longest:
            end = following - gap
        times.append((start, end))
    return times


def _starts(wanted: Sequence[int], rules: CueRules) -> tuple[list[int], int]:
    """Return in-times that leave every cue its least duration and a gap, and return the gap.

    They are the wanted times unless words have almost no time: then later cues wait, and at the film's end
    earlier cues come sooner. If the film is shorter than all its cues, the least duration and the gap shrink.
    """
    count, film_end = len(wanted), rules.media_duration_ms
    least, gap = rules.min_cue_ms, rules.min_gap_ms
    if film_end and count * (least + gap) - gap > film_end:
        gap = gap if film_end > 2 * gap * count else 0
        least = (film_end - gap * (count - 1)) // count
    starts, earliest = [], 0
    for start_ms in wanted:
        starts.append(max(start_ms, earliest))
        earliest = starts[-1] + least + gap
    if film_end:
        latest = film_end - least
        for place in range(count - 1, -1, -1):
            starts[place] = min(starts[place], latest)
            latest = starts[place] - gap - least
    return starts, gap
