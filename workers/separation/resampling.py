"""Resamples 44.1 kHz to 16 kHz, block after block, without a seam."""

from __future__ import annotations

from typing import Any

from workers.separation.pieces import SAMPLE_RATE

__all__ = ["TARGET_RATE", "Resampler", "resampled_length"]

TARGET_RATE = 16_000
_OLD, _NEW = 441, 160
"""The two rates over their common divisor: every 441 samples become 160."""


def resampled_length(count: int) -> int:
    """Return how many samples at 16 kHz `count` samples at 44.1 kHz become."""
    return (2 * count * _NEW + _OLD) // (2 * _OLD)


class Resampler:
    """Makes in blocks what `julius.resample_frac`, which demucs uses, makes of the whole sound.

    julius computes 160 samples of the new rate at once, from 441 of the old one and the samples around them.
    A block starts where the last whole group of 441 ended, and the samples around that place are kept.
    """

    def __init__(self) -> None:
        import julius
        import numpy as np

        self._kernel = julius.ResampleFrac(SAMPLE_RATE, TARGET_RATE).kernel[:, 0].numpy().T
        """Shape (taps, 160)."""
        self._taps = len(self._kernel)
        self._around = (self._taps - _OLD) // 2
        self._held = np.zeros(0, dtype=np.float32)
        self._read = self._written = 0

    def feed(self, block: Any) -> Any:
        """Take float32 samples, shape (n,); return the samples of the new rate that are complete now."""
        import numpy as np

        if not len(block):
            return block
        if not self._read:
            # As julius does: the first sample is repeated before the film, and the last one after it.
            block = np.concatenate([np.repeat(block[:1], self._around), block])
            self._read -= self._around
        self._read += len(block)
        self._held = np.concatenate([self._held, block])
        return self._convolve()

    def finish(self) -> Any:
        """Return the rest: all that was returned is then as long as all that was taken."""
        import numpy as np

        rest = resampled_length(self._read) - self._written
        if rest <= 0:
            return np.zeros(0, dtype=np.float32)
        self._held = np.concatenate([self._held, np.repeat(self._held[-1:], self._around + _OLD)])
        return self._convolve()[:rest]

    def _convolve(self) -> Any:
        import numpy as np

        groups = (len(self._held) - self._taps) // _OLD + 1
        if groups <= 0:
            return np.zeros(0, dtype=np.float32)
        windows = np.lib.stride_tricks.sliding_window_view(self._held, self._taps)[::_OLD][:groups]
        made = (windows @ self._kernel).reshape(-1)
        self._held = self._held[groups * _OLD :].copy()
        self._written += len(made)
        return made
