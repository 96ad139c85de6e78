"""Sound as recognisers read it: 16 kHz, mono, 16 bits; written and read in blocks."""

from __future__ import annotations

import wave
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from workers.separation.doubtful import FRAMES_A_SECOND
from workers.separation.resampling import TARGET_RATE, Resampler

__all__ = [
    "NarrowFile",
    "beside",
    "loudness_of",
    "narrow_length",
    "open_narrow",
    "put",
    "read_narrow",
]

_FULL = 32768
_FRAME = TARGET_RATE // FRAMES_A_SECOND
_BLOCK = 300 * _FRAME
_RAISED = 0.97
"""How much of a sample is taken from the next one: low tones, in which there is no speech, become quiet."""


class NarrowFile:
    """Takes stereo sound of 44.1 kHz in blocks, and writes it as 16 kHz mono; a context manager."""

    def __init__(self, target: Path) -> None:
        self._file = open_narrow(target)
        self._resampler = Resampler()
        self.count = 0
        """The samples written, once it is closed."""

    def __enter__(self) -> NarrowFile:
        """Return itself."""
        return self

    def feed(self, block: Any) -> None:
        """Take float32 samples of the shape (2, n)."""
        put(self._file, self._resampler.feed(block.mean(axis=0)))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write what is left, and close the file."""
        try:
            if kind is None:
                put(self._file, self._resampler.finish())
            self.count = self._file.getnframes()
        finally:
            self._file.close()


def open_narrow(target: Path) -> wave.Wave_write:
    """Return the file, open for `put`."""
    file = wave.open(str(target), "wb")  # noqa: SIM115 (whoever asked closes it)
    file.setnchannels(1)
    file.setsampwidth(2)
    file.setframerate(TARGET_RATE)
    return file


def put(file: wave.Wave_write, samples: Any) -> None:
    """Write float samples in -1 to 1; what is louder is cut off."""
    import numpy as np

    scaled = np.rint(samples * np.float32(_FULL))
    file.writeframesraw(np.clip(scaled, -_FULL, _FULL - 1).astype("<i2").tobytes())


def read_narrow(path: Path) -> Iterator[Any]:
    """Yield a file's sound in order, as float32 in -1 to 1: blocks of half a minute."""
    import numpy as np

    with wave.open(str(path), "rb") as file:
        while content := file.readframes(_BLOCK):
            yield np.frombuffer(content, dtype="<i2").astype(np.float32) / _FULL


def narrow_length(path: Path) -> int:
    """Return how many samples a file has."""
    with wave.open(str(path), "rb") as file:
        return file.getnframes()


def beside(one: Path, other: Path) -> Iterator[tuple[Any, Any]]:
    """Yield the sound of two files in blocks; the second is as long as the first: cut, or with silence."""
    import numpy as np

    others = read_narrow(other)
    for block in read_narrow(one):
        beside_it = next(others, block[:0])[: len(block)]
        yield block, np.pad(beside_it, (0, len(block) - len(beside_it)))


def loudness_of(block: Any, *, raised: bool = False) -> list[float]:
    """Return the loudness of each frame of a block, the last one cut short; `raised`: of high tones."""
    import numpy as np

    if raised:
        block = block - _RAISED * np.concatenate([block[:1], block[:-1]])
    frames = range(0, len(block), _FRAME)
    return [float(np.mean(np.square(block[start : start + _FRAME]))) for start in frames]
