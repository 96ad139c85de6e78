"""From voices in windows to who speaks when in the whole film."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from protocol.timeline import Turn
from workers.engines.pyannote.clustering import Clusters
from workers.engines.pyannote.found import Found
from workers.engines.pyannote.windows import HeardWindows

__all__ = ["stitch"]

_AT_ONCE = 2
"""The segmentation hears no more at once."""


def stitch(heard: HeardWindows, clusters: Clusters) -> Found:
    """Return who speaks when: at each moment what most of the windows over it say."""
    shares = _shares(heard, clusters)
    nobody = len(clusters.centres)
    timeline = _speaking(shares, _AT_ONCE)
    exclusive = _speaking(shares, 1)
    return Found(
        timeline=_turns(timeline[:, :nobody], heard),
        exclusive=_turns(exclusive[:, :nobody], heard),
        embeddings={str(number): centre for number, centre in enumerate(clusters.centres)},
        nameless_ms=round(exclusive[:, nobody].sum() * heard.frame_ms),
    )


def _shares(heard: HeardWindows, clusters: Clusters) -> Any:
    """Return in which part of the windows each speaks, float32 (frames, people + 1); the last is nobody."""
    import numpy as np

    people = len(clusters.centres)
    windows, frames, _ = heard.active.shape
    length = (windows - 1) * heard.step + frames
    shares, covered = np.zeros((length, people + 1), np.float32), np.zeros((length, 1), np.float32)
    bounds = np.searchsorted(heard.pieces[:, 0], range(windows + 1))
    for window in range(windows):
        here = slice(window * heard.step, window * heard.step + frames)
        covered[here] += 1
        speaks = np.zeros((frames, people + 1), bool)
        for piece in range(bounds[window], bounds[window + 1]):
            _, _, first, last = heard.pieces[piece]
            # `NOBODY` is -1: the last column.
            speaks[first:last, clusters.of_pieces[piece]] = True
        shares[here] += speaks
    return shares / covered


def _speaking(shares: Any, at_once: int) -> Any:
    """Return who speaks in each frame: those who most windows hear, as many as they hear on average."""
    import numpy as np

    count = np.minimum(np.rint(shares.sum(axis=1)), at_once).astype(int)
    order = np.argsort(-shares, axis=1, kind="stable")
    speaks = np.zeros(shares.shape, bool)
    for rank in range(min(at_once, shares.shape[1])):
        frames = np.flatnonzero(count > rank)
        speaks[frames, order[frames, rank]] = True
    return speaks & (shares > 0)


def _turns(speaks: Any, heard: HeardWindows) -> tuple[Turn, ...]:
    """Return the turns in order; speakers are the numbers of columns."""
    found = [
        Turn(start_ms=start, end_ms=end, speaker=str(person))
        for person in range(speaks.shape[1])
        for start, end in _runs(speaks[:, person], heard)
    ]
    return tuple(sorted(found, key=lambda turn: (turn.start_ms, turn.end_ms, turn.speaker)))


def _runs(speaks: Any, heard: HeardWindows) -> Iterator[tuple[int, int]]:
    """Yield from when to when the frames are true, in milliseconds."""
    import numpy as np

    edges = np.flatnonzero(np.diff(np.concatenate([[False], speaks, [False]]).astype(np.int8)))
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        start, end = _clock(first, heard), _clock(last, heard)
        if end > start:
            yield start, end


def _clock(frame: int, heard: HeardWindows) -> int:
    """Return the time between the middles of a frame and the one before it."""
    return min(heard.duration_ms, max(0, round(heard.first_ms + (frame - 0.5) * heard.frame_ms)))
