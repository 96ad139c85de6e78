"""Which stretches of two texts are of the same time. Pure.

Two jobs cut a film into other segments: what one has as one sentence, the other has as two. A stretch is so
many segments of both as belong together.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

__all__ = ["Pair", "Timed", "overlaps", "pair_up"]


class Timed(Protocol):
    """What has a start and an end on the film's clock."""

    @property
    def start_ms(self) -> int:
        """Return the start."""

    @property
    def end_ms(self) -> int:
        """Return the end."""


@dataclass(frozen=True, kw_only=True)
class Pair:
    """The places of what belongs together in the two rows; one of them may be empty."""

    start_ms: int
    a: tuple[int, ...]
    b: tuple[int, ...]


def overlaps(a: Sequence[Timed], b: Sequence[Timed]) -> Iterator[tuple[int, int, int]]:
    """Yield the places in `a` and `b`, and the milliseconds shared, of all that share some.

    Both are in the order of their starts; what has no length shares 1 ms with what it lies in.
    """
    starts = [one.start_ms for one in b]
    reached = list(itertools.accumulate((_end(one) for one in b), max))
    for place, one in enumerate(a):
        first, behind = bisect.bisect_right(reached, one.start_ms), bisect.bisect_left(starts, _end(one))
        for other in range(first, behind):
            shared = min(_end(one), _end(b[other])) - max(one.start_ms, b[other].start_ms)
            if shared > 0:
                yield place, other, shared


def pair_up(a: Sequence[Timed], b: Sequence[Timed]) -> list[Pair]:
    """Return what belongs together, by time: what shares half of the shorter one, or more, with another."""
    group_of: dict[tuple[str, int], int] = {}
    groups: dict[int, list[tuple[str, int]]] = {}
    for number, member in enumerate([*(("a", i) for i in range(len(a))), *(("b", j) for j in range(len(b)))]):
        group_of[member], groups[number] = number, [member]
    for place, other, shared in overlaps(a, b):
        if 2 * shared >= min(_length(a[place]), _length(b[other])):
            _join(group_of, groups, group_of["a", place], group_of["b", other])
    return sorted((_pair(members, a, b) for members in groups.values()), key=lambda pair: pair.start_ms)


def _join(
    group_of: dict[tuple[str, int], int], groups: dict[int, list[tuple[str, int]]], kept: int, gone: int
) -> None:
    if kept == gone:
        return
    if len(groups[kept]) < len(groups[gone]):
        kept, gone = gone, kept
    for member in groups[gone]:
        group_of[member] = kept
    groups[kept] += groups.pop(gone)


def _pair(members: Sequence[tuple[str, int]], a: Sequence[Timed], b: Sequence[Timed]) -> Pair:
    of_a = tuple(sorted(place for row, place in members if row == "a"))
    of_b = tuple(sorted(place for row, place in members if row == "b"))
    starts = [*(a[place].start_ms for place in of_a), *(b[place].start_ms for place in of_b)]
    return Pair(start_ms=min(starts), a=of_a, b=of_b)


def _end(one: Timed) -> int:
    return max(one.end_ms, one.start_ms + 1)


def _length(one: Timed) -> int:
    return _end(one) - one.start_ms
