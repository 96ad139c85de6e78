"""Cues that repeat what the cue before them said: captions that roll, grow, or stand in a file twice. Pure.

Captions for broadcasts and for the web roll: a line moves up when the next one comes. Taken for subtitles,
each line is read twice. People repeat themselves, too. So a text counts only if the cue takes over without
the gap that subtitles keep, or if cue after cue does it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from protocol.timeline import Cue

__all__ = ["repeats"]

_ROLLING_MS = 100
"""A caption that rolls follows at once, or within two or three frames."""
_TELLING = 8
"""Fewer letters are said again so often that they tell nothing."""


def repeats(cues: Sequence[Cue], least_gap_ms: int) -> Iterator[tuple[int, int]]:
    """Yield the place of each cue that repeats the one before it, and how many of its lines it repeats."""
    found = [0, *(_repeated(before, cue) for before, cue in itertools.pairwise(cues))]
    for place, lines in enumerate(found):
        if not lines:
            continue
        before, cue = cues[place - 1], cues[place]
        gap = cue.start_ms - before.end_ms
        same = _text(before) == _text(cue)
        in_a_row = any(found[other] for other in (place - 1, place + 1) if 0 <= other < len(found))
        told = len("".join(_text(cue)[:lines])) >= _TELLING
        if gap < least_gap_ms or (not same and gap < _ROLLING_MS and in_a_row and told):
            yield place, lines


def _repeated(before: Cue, cue: Cue) -> int:
    """Return how many lines of the cue are the last ones of the cue before, or all it said, and more."""
    upper, lower = _text(before), _text(cue)
    for count in range(min(len(upper), len(lower)), 0, -1):
        if upper[-count:] == lower[:count]:
            return count if len(upper) + len(lower) > 2 or upper == lower else 0
    if upper and " ".join(lower).startswith(" ".join(upper)) and len("".join(upper)) >= _TELLING:
        return len(upper)
    return 0


def _text(cue: Cue) -> tuple[str, ...]:
    return tuple(line.strip() for line in cue.lines if line.strip())
