"""Words to cues: the cheapest way to cut a film's words, by dynamic programming. Pure.

In order: `tokenise` makes words unbreakable tokens, `in_order` makes their times rise, `_partition`
chooses the cuts, `_place` sets in- and out-times, `wrap` sets the lines. The numbers and their sources:
docs/timed-text.md. What a cut costs is the sum of

- the border: 0 where a sentence ends to 120 before a closing bracket (`phrases.border_cost`);
- what stays inside a cue: a sentence end or a pause (`_INSIDE_*`), so that these separate cues;
- the cue itself: too short to see, too fast to read, and `_CUE` for being one more.

The hard rules (lines, graphemes, longest duration) bound the search instead of costing.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.timeline import Cue, Word
from workers.engines.common.clock import in_order
from workers.engines.common.phrases import Token, border_cost, ends_sentence, join_tokens, tokenise

__all__ = ["CueRules", "cut", "sentences", "wrap"]

_CUE = 8.0
_INSIDE_SENTENCE_END = 50.0
_INSIDE_PAUSE = 60.0
_INSIDE_PAUSE_PER_MS = 0.1
_HARD_PAUSE_MS = 2_000
"""Over a pause this long nothing is kept together, however short the cue."""
_PAUSE_RELIEF_PER_MS = 1 / 40
"""Of two borders alike, the one at which the speaker paused is better."""
_TOO_SHORT = 50.0
_TOO_SHORT_SHARE = 150.0
_TOO_FAST_PER_GRAPHEME = 2.0
_TOO_FAST_MOST = 40.0
_TOO_LONG = 1_000.0
_INSIDE_WORD = 45
_UNEVEN = 12.0
_FULL_ENOUGH = 0.6
"""Share of a cue's room at which it costs least: pulls the cues of one sentence to one length."""


@dataclass(frozen=True, kw_only=True)
class CueRules:
    """What a cue may be; times in whole milliseconds, lengths in graphemes. Defaults: Netflix."""

    language: str = "en"
    media_duration_ms: int = 0
    """No cue goes past it; 0: not known."""
    max_line_graphemes: int = 42
    max_lines: int = 2
    max_cue_ms: int = 7_000
    min_cue_ms: int = 833
    min_gap_ms: int = 83
    max_graphemes_per_second: float = 20.0
    """Preferred: where speech is faster, the text is kept all the same."""
    linger_ms: int = 500
    """How long after its last word a cue may stay to be read."""
    close_gap_ms: int = 458
    """A gap of up to 11 frames (at 24 a second) is closed to `min_gap_ms`."""
    pause_ms: int = 600
    """A longer pause between two words separates cues."""
    min_word_ms: int = 0
    """A cue is shown so long for each of its words where there is room."""


def cut(words: Sequence[Word], rules: CueRules) -> tuple[Cue, ...]:
    """Return the cues of `words`: every word once, in order; times rise and never overlap.

    Lines and graphemes are held always, durations and gaps wherever the words' times leave room.
    A cue shows its least duration even where that is more than `linger_ms` after its only short word.
    """
    tokens = _tokens(words, rules)
    if not tokens:
        return ()
    spans = _partition(tokens, rules)
    times = _place(tokens, spans, rules)
    return tuple(
        Cue(start_ms=start, end_ms=end, lines=wrap(tokens[first:stop], rules))
        for (first, stop), (start, end) in zip(spans, times, strict=True)
    )


def sentences(words: Sequence[Word], rules: CueRules) -> tuple[str, ...]:
    """Return the text as sentences; a long pause ends one too, as recognisers may leave out full stops."""
    tokens = _tokens(words, rules)
    found, first = [], 0
    for place in range(1, len(tokens) + 1):
        if place == len(tokens) or _ends_thought(tokens[place - 1], tokens[place], rules):
            found.append(join_tokens(tokens[first:place]))
            first = place
    return tuple(found)


def wrap(tokens: Sequence[Token], rules: CueRules) -> tuple[str, ...]:
    """Return the tokens as lines: one where they fit, else cut cheapest, the lower line the longer."""
    room = rules.max_line_graphemes
    if _length(tokens) <= room:
        return (join_tokens(tokens),)
    return _wrap_on(tokens, rules, rules.max_lines)[1]


def _tokens(words: Sequence[Word], rules: CueRules) -> list[Token]:
    tokens = tokenise(words, rules.language, rules.max_line_graphemes)
    return in_order(tokens, longest_ms=rules.max_cue_ms, film_ms=rules.media_duration_ms)


def _ends_thought(left: Token, right: Token, rules: CueRules) -> bool:
    pause = right.start_ms - left.end_ms
    return pause > _HARD_PAUSE_MS or (
        not right.inside_word and ends_sentence(left.text, right.text, rules.language)
    )


def _length(tokens: Sequence[Token]) -> int:
    return sum(each.graphemes + (not each.glued) for each in tokens) - (not tokens[0].glued)


def _wrap_on(tokens: Sequence[Token], rules: CueRules, lines: int) -> tuple[float, tuple[str, ...]]:
    """Return the cost and the lines of the best split into at most `lines`."""
    whole = _length(tokens)
    if lines == 1 or whole <= rules.max_line_graphemes:
        return max(0, whole - rules.max_line_graphemes) * _TOO_LONG, (join_tokens(tokens),)
    best: tuple[float, tuple[str, ...]] = (float("inf"), (join_tokens(tokens),))
    for at in range(1, len(tokens)):
        upper = _length(tokens[:at])
        if upper > rules.max_line_graphemes and at > 1:
            break
        rest_cost, rest = _wrap_on(tokens[at:], rules, lines - 1)
        lower = _length(tokens[at:])
        # Bottom-heavy: a longer upper line weighs twice as much as a longer lower one.
        lean = (upper - lower) * 0.6 if upper > lower else (lower - upper) * 0.3
        too_long = max(0, upper - rules.max_line_graphemes) * _TOO_LONG
        cost = rest_cost + too_long + lean + _token_border(tokens[at - 1], tokens[at], rules.language)
        if cost < best[0]:
            best = cost, (join_tokens(tokens[:at]), *rest)
    return best


def _token_border(left: Token, right: Token, language: str) -> int:
    return _INSIDE_WORD if right.inside_word else border_cost(left.text, right.text, language)


def _borders(tokens: Sequence[Token], rules: CueRules) -> tuple[list[float], list[bool]]:
    """Return what cutting before each token costs over keeping, and where a cut is certain."""
    costs, hard = [0.0], [False]
    for left, right in itertools.pairwise(tokens):
        pause = right.start_ms - left.end_ms
        cost = float(_token_border(left, right, rules.language))
        if not right.inside_word and ends_sentence(left.text, right.text, rules.language):
            cost -= _INSIDE_SENTENCE_END
        if pause > rules.pause_ms:
            cost = min(cost, 0.0) - _INSIDE_PAUSE - (pause - rules.pause_ms) * _INSIDE_PAUSE_PER_MS
        else:
            cost -= max(0, pause) * _PAUSE_RELIEF_PER_MS
        costs.append(cost)
        hard.append(pause > _HARD_PAUSE_MS)
    return [*costs, 0.0], [*hard, True]


def _reaches(tokens: Sequence[Token], rules: CueRules, hard: Sequence[bool]) -> list[int]:
    """Return, for each token, the furthest end of a cue that starts with it: what lines can hold."""
    count = len(tokens)
    line_ends, stop, used = [], 0, 0
    for first in range(count):
        stop = max(stop, first)
        while stop < count:
            more = tokens[stop].graphemes + (stop > first and not tokens[stop].glued)
            if used + more > rules.max_line_graphemes and stop > first:
                break
            used += more
            stop += 1
        line_ends.append(stop)
        used -= tokens[first].graphemes
        if stop > first + 1:
            used -= not tokens[first + 1].glued
    next_hard = count
    reaches = [0] * count
    for first in range(count - 1, -1, -1):
        reach = first
        for _ in range(rules.max_lines):
            reach = line_ends[reach] if reach < count else count
        reaches[first] = min(reach, next_hard)
        next_hard = first if hard[first] else next_hard
    return reaches


def _partition(tokens: Sequence[Token], rules: CueRules) -> list[tuple[int, int]]:
    """Return the cues as (first, stop) places in `tokens`, the cheapest of all ways to cut."""
    borders, hard = _borders(tokens, rules)
    reaches = _reaches(tokens, rules, hard)
    starts = [each.start_ms for each in tokens]
    ends = [each.end_ms for each in tokens]
    film_end = rules.media_duration_ms or ends[-1] + rules.linger_ms + rules.min_cue_ms
    # The last moment a cue that stops before a token may be seen: the next starts there.
    deadlines = [0, *(start - rules.min_gap_ms for start in starts[1:]), film_end]
    widths = [0]
    for each in tokens:
        widths.append(widths[-1] + each.graphemes + (not each.glued))
    best = [0.0] + [float("inf")] * len(tokens)
    came = [0] * (len(tokens) + 1)
    least, longest, linger = rules.min_cue_ms, rules.max_cue_ms, rules.linger_ms
    shape = _shapes(rules)
    for first, reach in enumerate(reaches):
        start, base, width = starts[first], best[first] + _CUE, widths[first]
        for stop in range(first + 1, reach + 1):
            spoken = ends[stop - 1] - start
            if spoken > longest and stop > first + 1:
                break
            seen = max(spoken + linger, least)
            seen = min(seen, deadlines[stop] - start)
            size = widths[stop] - width
            cost = base + borders[stop] + shape[size]
            if seen < least:
                cost += _TOO_SHORT + _TOO_SHORT_SHARE * (least - seen) / least
            fast = size * 1_000 / max(seen, 1) - rules.max_graphemes_per_second
            if fast > 0:
                cost += min(_TOO_FAST_MOST, fast * _TOO_FAST_PER_GRAPHEME)
            if cost < best[stop]:
                best[stop] = cost
                came[stop] = first
    return _walk_back(came)


def _shapes(rules: CueRules) -> list[float]:
    """Return the cost of a cue's length, by its graphemes."""
    room = rules.max_line_graphemes * rules.max_lines
    return [_UNEVEN * (size / room - _FULL_ENOUGH) ** 2 for size in range(room + rules.max_lines + 2)]


def _walk_back(came: Sequence[int]) -> list[tuple[int, int]]:
    spans, stop = [], len(came) - 1
    while stop > 0:
        spans.append((came[stop], stop))
        stop = came[stop]
    return spans[::-1]


def _place(
    tokens: Sequence[Token], spans: Sequence[tuple[int, int]], rules: CueRules
) -> list[tuple[int, int]]:
    """Return in- and out-times: in with the first word, out when it has been read."""
    starts, least, gap = _starts([tokens[first].start_ms for first, _ in spans], rules)
    film_end = rules.media_duration_ms or starts[-1] + rules.max_cue_ms
    times = []
    for place, (first, stop) in enumerate(spans):
        start, spoken = starts[place], tokens[stop - 1].end_ms
        last = place + 1 == len(spans)
        ceiling = film_end if last else starts[place + 1] - gap
        ceiling = min(ceiling, start + max(rules.max_cue_ms, least))
        reading = round(_length(tokens[first:stop]) * 1_000 / rules.max_graphemes_per_second)
        reading = max(reading, rules.min_word_ms * sum(not each.inside_word for each in tokens[first:stop]))
        furthest = max(spoken + rules.linger_ms, start + least)
        end = min(max(spoken, start + max(least, reading)), furthest, ceiling)
        if not last and starts[place + 1] - end <= rules.close_gap_ms:
            end = max(end, min(ceiling, furthest))
        times.append((start, end))
    return times


def _starts(wanted: Sequence[int], rules: CueRules) -> tuple[list[int], int, int]:
    """Return in-times that leave every cue its least duration and gap, and these two.

    They are the wanted ones but where words have next to no time: then later ones wait, and at the
    film's end earlier ones hurry. Where the film is shorter than all its cues, least and gap shrink.
    """
    count, film_end = len(wanted), rules.media_duration_ms
    least, gap = rules.min_cue_ms, rules.min_gap_ms
    if film_end and count * (least + gap) - gap > film_end:
        gap = gap if film_end > 2 * gap * count else 0
        least = (film_end - gap * (count - 1)) // count
    starts, earliest = [], 0
    for each in wanted:
        starts.append(max(each, earliest))
        earliest = starts[-1] + least + gap
    if film_end:
        latest = film_end - least
        for place in range(count - 1, -1, -1):
            starts[place] = min(starts[place], latest)
            latest = starts[place] - gap - least
    return starts, least, gap
