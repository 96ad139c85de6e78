"""The voices of a film out of the model, piece by piece; memory does not grow with the film."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

from workers.engines.demucs.pieces import Cut, Piece
from workers.engines.demucs.track import Loudness, Track, Window

__all__ = ["Compute", "voices"]

Compute = Callable[[Any], Any]
"""Normalised sound to normalised voices: float32, shape (pieces, 2, samples), both ways."""


def voices(track: Track, loudness: Loudness, cut: Cut, batch_size: int, compute: Compute) -> Iterator[Any]:
    """Yield the voices from the film's start to its end: float32, shape (2, n), in the film's own loudness.

    The numbers of `demucs.api.Separator.separate_tensor` with `shifts=0`: pieces overlap and are weighted by
    a triangle (`demucs.apply.apply_model`, transition_power 1), and nothing that a later piece adds to is
    yielded before it has.
    """
    import numpy as np

    window, blend = Window(track, loudness), _Blend(cut.segment)
    mean, deviation = np.float32(loudness.mean), np.float32(loudness.deviation)
    pieces = cut.pieces(loudness.length)
    while batch := list(itertools.islice(pieces, batch_size)):
        sound = np.stack([window.read(piece.reads_from, cut.segment) for piece in batch])
        for piece, made in zip(batch, compute(sound), strict=True):
            yield blend.settle(piece.start) * deviation + mean
            blend.add(piece, made)
    yield blend.settle(loudness.length) * deviation + mean


class _Blend:
    """The weighted sum of the pieces that overlap now."""

    def __init__(self, segment: int) -> None:
        import numpy as np

        self._segment = segment
        rising = np.arange(1, segment // 2 + 1)
        falling = np.arange(segment - segment // 2, 0, -1)
        triangle = np.concatenate([rising, falling])
        self._weight = (triangle / triangle.max()).astype(np.float32)
        self._sum = np.zeros((2, segment), dtype=np.float32)
        self._weights = np.zeros(segment, dtype=np.float32)
        self._start = 0

    def settle(self, until: int) -> Any:
        """Return what is before `until`, to which nothing comes any more."""
        import numpy as np

        count = until - self._start
        settled = self._sum[:, :count] / self._weights[:count]
        self._sum = np.concatenate([self._sum[:, count:], np.zeros((2, count), dtype=np.float32)], axis=1)
        self._weights = np.concatenate([self._weights[count:], np.zeros(count, dtype=np.float32)])
        self._start = until
        return settled

    def add(self, piece: Piece, made: Any) -> None:
        """Add the model's output for a piece that starts where was settled last."""
        weight = self._weight[: piece.length]
        self._sum[:, : piece.length] += weight * made[:, piece.skip : piece.skip + piece.length]
        self._weights[: piece.length] += weight
