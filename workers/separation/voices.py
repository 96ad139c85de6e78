"""The voices of a film, piece by piece through the model: memory does not grow with the film."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from workers.lanes import batches_of
from workers.separation.pieces import FilmPiece
from workers.separation.stereo import Loudness, NormalisedWindow, StereoSound

__all__ = ["Compute", "voices"]

Compute = Callable[[Iterable[Any], int], Iterator[Any]]
"""Takes batches of normalised sound, and how many there are, and yields their normalised voices in order;
each is float32, shape (pieces, 2, samples)."""


def voices(
    sound: StereoSound,
    loudness: Loudness,
    pieces: Sequence[FilmPiece],
    segment: int,
    batch_size: int,
    compute: Compute,
) -> Iterator[Any]:
    """Yield the voices from the start of the film to its end: float32, shape (2, n), as loud as in the film.

    The numbers are those of `demucs.api.Separator.separate_tensor` with `shifts=0`: pieces overlap and are
    weighted by a triangle (`demucs.apply.apply_model`, transition_power 1). A sample is yielded when no later
    piece adds to it. `pieces` may lack some of the film's: where none is, there is silence.
    """
    import numpy as np

    window, blend = NormalisedWindow(sound, loudness), _Blend(segment)
    mean, deviation = np.float32(loudness.mean), np.float32(loudness.deviation)
    batches = batches_of(pieces, batch_size)
    mixed = (np.stack([window.read(piece.reads_from, segment) for piece in batch]) for batch in batches)
    for batch, found in zip(batches, compute(mixed, len(batches)), strict=True):
        for piece, made in zip(batch, found, strict=True):
            for block in blend.take_until(piece.start):
                yield block * deviation + mean
            blend.add(piece, made)
    for block in blend.take_until(loudness.length):
        yield block * deviation + mean


class _Blend:
    """The weighted sum of the pieces that overlap."""

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

    def take_until(self, until: int) -> Iterator[Any]:
        """Yield the sum before `until`, to which no later piece adds, and start after it."""
        while self._start < until:
            yield self._take(min(self._segment, until - self._start))

    def _take(self, count: int) -> Any:
        import numpy as np

        # Where no piece was, the sum is 0, too.
        finished = self._sum[:, :count] / np.where(self._weights[:count] > 0, self._weights[:count], 1)
        self._sum = np.concatenate([self._sum[:, count:], np.zeros((2, count), dtype=np.float32)], axis=1)
        self._weights = np.concatenate([self._weights[count:], np.zeros(count, dtype=np.float32)])
        self._start += count
        return finished

    def add(self, piece: FilmPiece, made: Any) -> None:
        """Add the model's output for a piece that starts where the last `take_until` ended."""
        weight = self._weight[: piece.length]
        self._sum[:, : piece.length] += weight * made[:, piece.skip : piece.skip + piece.length]
        self._weights[: piece.length] += weight
