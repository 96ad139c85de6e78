"""Keeps cues clear of shot changes: they begin and end with the shot, or half a second from it. Pure.

A cut makes the eye jump to the start of a text on the screen, as if it were new. The rules are those of
Netflix's *Timed Text Style Guide: Subtitle Timing Guidelines* (partnerhelp.netflixstudios.com, article
360051554394), section 2, in its frames at 24 a second:

- An in-time up to 7 frames before a shot change moves to it; at 8 to 11 frames it moves to 12 frames before.
- An in-time less than 12 frames after a shot change moves to it.
- An out-time less than 12 frames from a shot change moves to the least gap before it. But if speech goes on
  for 8 to 11 frames after the change, the cue stays until 12 frames after it.

What cutting made right stays right: no cue gets too short, too long or too fast to read, no cues overlap or
come too close, no closed gap opens, and no cue goes past the film's end. By these rules a text comes at most
7 frames after its speech begins, and goes at most 7 frames and the gap before its speech ends.

Each place between two cues has a few pairs of times to choose from. Dynamic programming finds the cheapest
choice for all of them: the time that a cue gives up at one end limits what it can give up at the other.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Cue, Word
from workers.engines.common.cues.checking.quality import read_length
from workers.engines.common.cues.checking.reasons import CueSpeech, speech_of_cues
from workers.engines.common.cues.cut import CueRules

__all__ = ["HALF_MS", "RED_MS", "respect_shots"]

HALF_MS = 500
"""12 frames: a time this far from a shot change is clear of it."""
RED_MS = 292
"""7 frames: a time this near moves to the shot change itself."""
_UNCLEAR = 100_000
"""The cost of a time near a shot change: more than all moves of a cue, which cost one a millisecond."""
_NEAREST = 2
"""How many shot changes are looked at on each side of a time."""


@dataclass(frozen=True, kw_only=True)
class _Turn:
    """The out-time of one cue and the in-time of the next; at the film's start and end only one counts."""

    out_ms: int = 0
    in_ms: int = 0
    cost: int


@dataclass(frozen=True, kw_only=True)
class _CueLimits:
    """The limits of a cue: its speech, the time that it needs to be read, and the longest it may last."""

    cue: Cue
    speech_start_ms: int
    speech_end_ms: int
    needed_ms: int
    longest_ms: int


def respect_shots(
    cues: Sequence[Cue], words: Sequence[Word], shots_ms: Sequence[int], rules: CueRules
) -> tuple[Cue, ...]:
    """Return the cues with times that keep clear of shot changes where they can; texts and order stay.

    `cut` made `cues` from `words`; `shots_ms` are the first moments of shots on the same clock. The least gap
    of `rules` stays free before a shot change. Without shot changes, the cues are returned as they are.
    """
    shots = sorted(set(shots_ms))
    if not shots or not cues:
        return tuple(cues)
    spoken = speech_of_cues(cues, rules, words) or (None,) * len(cues)
    limits = [_limits_of(cue, said, rules) for cue, said in zip(cues, spoken, strict=True)]
    turns = [
        [_Turn(in_ms=in_ms, cost=_in_cost(limits[0], in_ms, shots)) for in_ms in _ins(limits[0], shots)],
        *(_turns(before, after, shots, rules) for before, after in itertools.pairwise(limits)),
        [
            _Turn(out_ms=out, cost=_out_cost(limits[-1], out, shots, rules))
            for out in _outs(limits[-1], shots, rules)
        ],
    ]
    chosen = _cheapest(turns, limits)
    return tuple(
        replace(cue, start_ms=before.in_ms, end_ms=after.out_ms)
        for cue, before, after in zip(cues, chosen, chosen[1:], strict=False)
    )


def _limits_of(cue: Cue, said: CueSpeech | None, rules: CueRules) -> _CueLimits:
    lasts = cue.end_ms - cue.start_ms
    read = read_length(cue, rules.language) * 1_000 / rules.max_graphemes_per_second
    words = sum(len(line.split()) for line in cue.lines)
    needed = max(rules.min_cue_ms, math.ceil(read), words * rules.min_word_ms)
    return _CueLimits(
        cue=cue,
        speech_start_ms=cue.start_ms if said is None else said.start_ms,
        speech_end_ms=cue.end_ms if said is None else said.end_ms,
        needed_ms=needed,
        longest_ms=max(lasts, rules.max_cue_ms),
    )


def _turns(before: _CueLimits, after: _CueLimits, shots: Sequence[int], rules: CueRules) -> list[_Turn]:
    """Return the pairs of times to choose from; the first is the cues' own."""
    was = after.cue.start_ms - before.cue.end_ms
    ends = tuple(_outs(before, shots, rules))
    turns = []
    for start in _ins(after, shots):
        # An out-time that is only the least gap before the next cue moves with that cue.
        chained = start - rules.min_gap_ms
        goes_along = was <= rules.min_gap_ms and _may_end(before, chained, rules)
        for end in (*ends, chained) if goes_along else ends:
            if _may_part(start - end, was, rules):
                cost = _out_cost(before, end, shots, rules) + _in_cost(after, start, shots)
                turns.append(_Turn(out_ms=end, in_ms=start, cost=cost))
    return turns


def _near(time_ms: int, shots: Sequence[int]) -> Sequence[int]:
    """Return the few shot changes nearest to a time that are less than half a second from it."""
    at = bisect_left(shots, time_ms)
    return [shot for shot in shots[max(0, at - _NEAREST) : at + _NEAREST] if abs(shot - time_ms) < HALF_MS]


def _ins(limit: _CueLimits, shots: Sequence[int]) -> Iterator[int]:
    start = limit.cue.start_ms
    yield start
    latest = max(start, limit.speech_start_ms + RED_MS)
    for shot in _near(start, shots):
        if shot != start and shot <= min(latest, start + RED_MS):
            yield shot
        if shot - start > RED_MS and shot >= HALF_MS:
            yield shot - HALF_MS


def _outs(limit: _CueLimits, shots: Sequence[int], rules: CueRules) -> Iterator[int]:
    end = limit.cue.end_ms
    yield end
    for shot in _near(end, shots):
        wanted = [shot - rules.min_gap_ms]
        if limit.speech_end_ms - shot > RED_MS:
            wanted.append(shot + HALF_MS)
        yield from (out_ms for out_ms in wanted if out_ms != end and _may_end(limit, out_ms, rules))


def _may_end(limit: _CueLimits, end_ms: int, rules: CueRules) -> bool:
    """Return whether the cue covers its speech, except the last frames, and ends within the film."""
    soonest = min(limit.cue.end_ms, limit.speech_end_ms - RED_MS - rules.min_gap_ms)
    return soonest <= end_ms and (end_ms <= max(limit.cue.end_ms, rules.media_duration_ms or end_ms))


def _may_part(gap_ms: int, was_ms: int, rules: CueRules) -> bool:
    """Return whether a gap of `was_ms` may become `gap_ms`: not too close, and no closed gap opens."""
    opens = rules.min_gap_ms < gap_ms <= rules.close_gap_ms
    opened = rules.min_gap_ms < was_ms <= rules.close_gap_ms
    return gap_ms >= min(was_ms, rules.min_gap_ms) and (opened or not opens)


def _in_cost(limit: _CueLimits, start_ms: int, shots: Sequence[int]) -> int:
    near = _near(start_ms, shots)
    is_clear = not near or start_ms in near
    return abs(start_ms - limit.cue.start_ms) + (0 if is_clear else _UNCLEAR)


def _out_cost(limit: _CueLimits, end_ms: int, shots: Sequence[int], rules: CueRules) -> int:
    near = _near(end_ms, shots)
    unseen = max(0, min(limit.cue.end_ms, limit.speech_end_ms) - end_ms)
    is_clear = not near or end_ms + rules.min_gap_ms in near
    return abs(end_ms - limit.cue.end_ms) + unseen + (0 if is_clear else _UNCLEAR)


def _cheapest(turns: Sequence[Sequence[_Turn]], limits: Sequence[_CueLimits]) -> list[_Turn]:
    """Return one turn of each place, at the least cost, so that every cue has a duration it may have."""
    costs = [float(turn.cost) for turn in turns[0]]
    came: list[list[int]] = []
    for limit, before, now in zip(limits, turns, turns[1:], strict=False):
        best, back = [], []
        for turn in now:
            fitting = [
                (costs[place], place)
                for place, earlier in enumerate(before)
                if _fits(limit, earlier.in_ms, turn.out_ms)
            ]
            cost, place = min(fitting, default=(math.inf, 0))
            best.append(cost + turn.cost)
            back.append(place)
        costs = best
        came.append(back)
    place = min(range(len(costs)), key=lambda index: costs[index])
    chosen = [turns[-1][place]]
    for options, back in zip(turns[-2::-1], came[::-1], strict=True):
        place = back[place]
        chosen.append(options[place])
    return chosen[::-1]


def _fits(limit: _CueLimits, start_ms: int, end_ms: int) -> bool:
    """Return whether the cue can be read; one that could not be read before must keep all of its time."""
    lasts = end_ms - start_ms
    keeps_its_time = start_ms <= limit.cue.start_ms and end_ms >= limit.cue.end_ms
    return (lasts >= limit.needed_ms or keeps_its_time) and lasts <= limit.longest_ms
