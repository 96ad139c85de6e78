"""Joins two tracks of cues into one that shows both texts, the first above the second. Pure.

The policy. Every in- and out-time of either track cuts the film into slices. A slice shows the cue that each
track has then: both, or only one (the union of times, not the intersection: no text waits for the other).
Where one text changes and the other stays, the two slices touch: a gap would make the text that stays blink.

A slice that is shorter than the least duration of a cue is a flicker. A neighbour that it touches takes its
time, the shortest flicker first, unless one of its texts is in no other slice. The neighbour with the same
first text is preferred, as the first track leads; then the one with the same second text; then the earlier
one. A text then stays a moment longer, or comes a moment sooner. A slice that must stay is made longer: into
the silence after it, else at the cost of a slice that it touches, if that one keeps its own least duration.
If a slice is still too short, nothing can help it: its text is in no other slice, and no neighbour has time
to spare.

Where both texts change at once, the earlier slice ends one gap sooner, as cues of one track do.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from protocol.timeline import Cue

__all__ = ["GAP_MS", "MIN_MS", "pair"]

MIN_MS = 833
"""The least duration of a cue, unless the caller gives another (docs/timed-text.md)."""
GAP_MS = 83
"""The least gap between cues, unless the caller gives another."""


@dataclass(kw_only=True, slots=True)
class _Slice:
    """What the screen shows between two changes: one or two texts, each as (track, place in it)."""

    start: int
    end: int
    texts: tuple[tuple[int, int], ...]

    @property
    def length(self) -> int:
        return self.end - self.start

    def likeness(self, other: _Slice) -> int:
        """Return 2 for the same first text, 1 for the same second, 3 for both."""
        return sum(2 - track for track, place in self.texts if (track, place) in other.texts)


def pair(
    first: Sequence[Cue],
    second: Sequence[Cue],
    *,
    media_duration_ms: int = 0,
    least_ms: int = MIN_MS,
    gap_ms: int = GAP_MS,
) -> tuple[Cue, ...]:
    """Return the cues of both tracks as one track: every text stays, in its order, and no cues overlap.

    `least_ms` and `gap_ms` are the least duration and the least gap of the tracks' own cues.

    A text may be in several cues in a row, which then touch. A cue has the lines of both texts: at most twice
    `max_lines`. First, cues of one track that overlap or have no duration are put in order: each ends where
    the next begins, and lasts at least a millisecond. No cue is made longer past the film's end (0: not
    known).
    """
    tracks = (_in_order(first), _in_order(second))
    slices = _absorbed(_slices(tracks), least_ms)
    _lengthen(slices, media_duration_ms, least_ms, gap_ms)
    _part(slices, least_ms, gap_ms)
    return tuple(
        Cue(
            start_ms=piece.start,
            end_ms=piece.end,
            lines=tuple(line for track, place in piece.texts for line in tracks[track][place].lines),
            speakers=_speakers([tracks[track][place] for track, place in piece.texts]),
        )
        for piece in slices
    )


def _in_order(cues: Sequence[Cue]) -> list[Cue]:
    starts: list[int] = []
    for cue in cues:
        starts.append(max(cue.start_ms, starts[-1] + 1) if starts else cue.start_ms)
    ordered = []
    for place, (cue, start) in enumerate(zip(cues, starts, strict=True)):
        end = min((cue.end_ms, *starts[place + 1 : place + 2]))
        ordered.append(replace(cue, start_ms=start, end_ms=max(end, start + 1)))
    return ordered


def _speakers(cues: Sequence[Cue]) -> tuple[str, ...]:
    """Return the id of each line's speaker; no ids where none is known."""
    found = [speaker for cue in cues for speaker in cue.speakers or ("",) * len(cue.lines)]
    return tuple(found) if any(found) else ()


def _slices(tracks: Sequence[Sequence[Cue]]) -> list[_Slice]:
    times = sorted({time for track in tracks for cue in track for time in (cue.start_ms, cue.end_ms)})
    places = [0 for _ in tracks]
    slices = []
    for start, end in itertools.pairwise(times):
        texts = []
        for number, track in enumerate(tracks):
            while places[number] < len(track) and track[places[number]].end_ms <= start:
                places[number] += 1
            if places[number] < len(track) and track[places[number]].start_ms <= start:
                texts.append((number, places[number]))
        if texts:
            slices.append(_Slice(start=start, end=end, texts=tuple(texts)))
    return slices


def _absorbed(slices: Sequence[_Slice], least_ms: int) -> list[_Slice]:
    """Return the slices without flickers whose texts are also in others; their time goes to neighbours.

    One pass, the shortest first, is enough: a text that is in only one slice stays in only one.
    """
    showing = Counter(text for piece in slices for text in piece.texts)
    before: dict[int, int | None] = {place: place - 1 if place else None for place in range(len(slices))}
    after: dict[int, int | None] = {place: other for other, place in before.items() if place is not None}
    gone = set()
    for at in sorted(range(len(slices)), key=lambda place: slices[place].length):
        current = slices[at]
        if current.length >= least_ms or any(showing[text] == 1 for text in current.texts):
            continue
        left, right = before[at], after.get(at)
        # If a text is in two slices, it is in two that touch: so one of the neighbours exists and touches.
        heir = _heir(current, [slices[place] for place in (left, right) if place is not None])
        heir.start, heir.end = min(heir.start, current.start), max(heir.end, current.end)
        showing.subtract(current.texts)
        gone.add(at)
        if right is not None:
            before[right] = left
        if left is not None:
            after[left] = right
    return [piece for at, piece in enumerate(slices) if at not in gone]


def _heir(current: _Slice, near: Sequence[_Slice]) -> _Slice:
    return max(near, key=current.likeness)


def _lengthen(slices: Sequence[_Slice], film_end: int, least_ms: int, gap_ms: int) -> None:
    for place, piece in enumerate(slices):
        if piece.length >= least_ms:
            continue
        following = slices[place + 1] if place + 1 < len(slices) else None
        if following is None:
            piece.end = max(piece.end, min(piece.start + least_ms, film_end or piece.start + least_ms))
        elif following.start > piece.end:
            piece.end = max(piece.end, min(piece.start + least_ms, following.start - gap_ms))
        else:
            piece.end += min(least_ms - piece.length, max(0, following.length - least_ms))
            following.start = piece.end
        earlier = slices[place - 1] if place else None
        if earlier is not None and earlier.end == piece.start:
            piece.start -= min(max(0, least_ms - piece.length), max(0, earlier.length - least_ms))
            earlier.end = piece.start


def _part(slices: Sequence[_Slice], least_ms: int, gap_ms: int) -> None:
    for piece, following in itertools.pairwise(slices):
        if piece.end == following.start and not piece.likeness(following):
            piece.end = min(piece.end, max(piece.end - gap_ms, piece.start + least_ms))
