"""How a file's times lie against those of its reference. Pure but for jiwer's arithmetic.

A cue is found again by its words: a file that is four seconds late has all cues, at other times. The two may
be cut in other places, too. So a start is compared where both cues begin with the same word, an end where
both end with it. What has other words, as a translation by somebody else, is found by its time.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from clients.comparing.pairing import overlaps
from clients.word_errors import compared_pieces
from protocol.languages import UNSPACED, read_tag
from protocol.timeline import Cue

__all__ = ["NEAR_MS", "Offsets", "Timing", "compare_times"]

NEAR_MS = 200
"""An edge so near to the reference's is where people see no difference."""
_SAME_TIME = 0.5
"""Cues of other words are the same one where they share half of the time that they take together."""


@dataclass(frozen=True, kw_only=True)
class Offsets:
    """How far the edges (starts or ends) of cues are from the reference's. Later is above 0."""

    found: int
    """So many of the reference's have one that belongs to it."""
    median_ms: int | None
    within_90_ms: int | None
    """Nine in ten are so near, earlier or later."""
    near: float | None
    """The share of those found that are at most `NEAR_MS` away."""
    spread_90_ms: int | None = None
    """Nine in ten are so near to the median: little where the whole file is late."""


@dataclass(frozen=True, kw_only=True)
class Timing:
    """What two files have for cues, and when."""

    reference_cues: int
    cues: int
    starts: Offsets
    ends: Offsets
    missing: int
    """Cues of the reference in whose place there is nothing."""
    added: int
    """Cues in whose place the reference has nothing."""


class _WordRow:
    """The words of all cues in a row, and where each cue begins and ends in it."""

    def __init__(self, cues: Sequence[Cue], *, by_graphemes: bool) -> None:
        self.words: list[str] = []
        self.cue_of: list[int] = []
        self.first: dict[int, int] = {}
        self.last: dict[int, int] = {}
        self.count: dict[int, int] = {}
        for place, cue in enumerate(cues):
            pieces = compared_pieces(" ".join(cue.lines), by_graphemes=by_graphemes)
            self.count[place] = len(pieces)
            if pieces:
                self.first[place], self.last[place] = len(self.words), len(self.words) + len(pieces) - 1
            self.words += pieces
            self.cue_of += [place] * len(pieces)


def compare_times(reference: Sequence[Cue], other: Sequence[Cue], language: str) -> Timing:
    """Return how the times of `other` lie against the reference's; both are in the order of their starts."""
    by_graphemes = read_tag(language).language in UNSPACED
    a, b = (_WordRow(cues, by_graphemes=by_graphemes) for cues in (reference, other))
    equal = _equal_words(a, b)
    shared = Counter((a.cue_of[i], b.cue_of[j]) for i, j in equal)
    same = {pair for pair, count in shared.items() if 2 * count >= min(a.count[pair[0]], b.count[pair[1]])}
    touching = [(i, j) for i, j, _ in overlaps(reference, other)]
    by_time = _same_time(reference, other)
    starts = _matches(equal, same, (a, a.first), (b, b.first), by_time)
    ends = _matches(equal, same, (a, a.last), (b, b.last), by_time)
    known = {*same, *touching}
    return Timing(
        reference_cues=len(reference),
        cues=len(other),
        starts=_offsets(other[j].start_ms - reference[i].start_ms for i, j in starts),
        ends=_offsets(other[j].end_ms - reference[i].end_ms for i, j in ends),
        missing=len(reference) - len({i for i, _ in known}),
        added=len(other) - len({j for _, j in known}),
    )


def _equal_words(a: _WordRow, b: _WordRow) -> list[tuple[int, int]]:
    """Return the places of the words that are the same in both."""
    import jiwer

    if not a.words or not b.words:
        return []
    chunks = jiwer.process_words(" ".join(a.words), " ".join(b.words)).alignments[0]
    return [
        (chunk.ref_start_idx + step, chunk.hyp_start_idx + step)
        for chunk in chunks
        if chunk.type == "equal"
        for step in range(chunk.ref_end_idx - chunk.ref_start_idx)
    ]


def _matches(
    equal: Sequence[tuple[int, int]],
    same: set[tuple[int, int]],
    a: tuple[_WordRow, Mapping[int, int]],
    b: tuple[_WordRow, Mapping[int, int]],
    by_time: Sequence[tuple[int, int]],
) -> list[tuple[int, int]]:
    """Return the cues whose edge belongs together: by the word at it, else by time."""
    (a_side, a_edge), (b_side, b_edge) = a, b
    found: dict[int, int] = {}
    for i, j in equal:
        pair = a_side.cue_of[i], b_side.cue_of[j]
        if pair in same and a_edge[pair[0]] == i and b_edge[pair[1]] == j:
            found[pair[0]] = pair[1]
    taken = set(found.values())
    late = {i: j for i, j in by_time if i not in found and j not in taken}
    return sorted((found | late).items())


def _same_time(reference: Sequence[Cue], other: Sequence[Cue]) -> list[tuple[int, int]]:
    """Return the cues that take nearly the same time; no two are one cue's."""
    return [
        (i, j)
        for i, j, shared in overlaps(reference, other)
        # Of cues that do not overlap each other only one can share more than half.
        if shared > _SAME_TIME * (_length(reference[i]) + _length(other[j]) - shared)
    ]


def _length(cue: Cue) -> int:
    # A damaged file has cues that end before they start.
    return max(1, cue.end_ms - cue.start_ms)


def _offsets(found: Iterable[int]) -> Offsets:
    offsets = list(found)
    if not offsets:
        return Offsets(found=0, median_ms=None, within_90_ms=None, near=None)
    median = round(statistics.median(offsets))
    return Offsets(
        found=len(offsets),
        median_ms=median,
        within_90_ms=_nine_in_ten(abs(offset) for offset in offsets),
        near=sum(abs(offset) <= NEAR_MS for offset in offsets) / len(offsets),
        spread_90_ms=_nine_in_ten(abs(offset - median) for offset in offsets),
    )


def _nine_in_ten(distances: Iterable[int]) -> int:
    ordered = sorted(distances)
    return ordered[-(-len(ordered) * 9 // 10) - 1]
