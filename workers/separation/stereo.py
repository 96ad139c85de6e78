"""The film's stereo sound, read in blocks: memory does not grow with the film."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from protocol.errors import InputError
from workers.separation.pieces import SAMPLE_RATE

__all__ = ["Loudness", "NormalisedWindow", "StereoSound"]

_BLOCK = 1 << 19
"""Samples of a block: twelve seconds, 4 MiB."""
_CHANNELS = 2


@dataclass(frozen=True, kw_only=True)
class Loudness:
    """The mean and the standard deviation of the mixed channels, by which demucs normalises."""

    mean: float
    deviation: float
    length: int
    """The length of the film in samples."""


class StereoSound:
    """A file of 44.1 kHz stereo sound, open for reading; a context manager."""

    def __init__(self, path: Path) -> None:
        import soundfile

        self._name = path.name
        try:
            self._file = soundfile.SoundFile(str(path))
        except soundfile.LibsndfileError as error:
            message = f"{self._name} cannot be read as sound: {error}."
            raise InputError(message, "Submit the film again.") from error
        form = (self._file.samplerate, self._file.channels)
        if form != (SAMPLE_RATE, _CHANNELS):
            self._file.close()
            message = f"{self._name} has {form[0]} Hz and {form[1]} channels; needed: {SAMPLE_RATE}, 2."
            raise InputError(message, "Submit the film again.")

    def __enter__(self) -> StereoSound:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    def blocks(self) -> Iterator[Any]:
        """Yield the sound in order: float32 in -1 to 1, shape (2, n); `InputError` where it is damaged."""
        import soundfile

        self._file.seek(0)
        promised, read = self._file.frames, 0
        try:
            while len(block := self._file.read(_BLOCK, dtype="float32", always_2d=True)):
                read += len(block)
                yield block.T
        except soundfile.LibsndfileError as error:
            message = f"{self._name} is damaged after {read / SAMPLE_RATE:.1f} s: {error}."
            raise InputError(message, "Submit the film again.") from error
        if read < promised:
            message = f"{self._name} ends too early, after {read / SAMPLE_RATE:.1f} s."
            raise InputError(message, "Submit the film again.")

    def measure(self, progress: Callable[[float], None]) -> Loudness:
        """Read the whole sound once; `InputError` where there is none.

        The standard deviation divides by n - 1, as torch does in `demucs.api.Separator.separate_tensor`.
        """
        length, total, squares = 0, 0.0, 0.0
        for block in self.blocks():
            mixed = block.mean(axis=0, dtype="float64")
            length += len(mixed)
            total += float(mixed.sum())
            squares += float(mixed @ mixed)
            progress(length / max(length, self._file.frames))
        if not length:
            message = f"{self._name} has no sound."
            raise InputError(message, "Submit the film again.")
        mean = total / length
        spread = max(0.0, squares - length * mean * mean) / max(1, length - 1)
        # demucs adds the same to the deviation of a silent film.
        return Loudness(mean=mean, deviation=math.sqrt(spread) + 1e-8, length=length)


class NormalisedWindow:
    """Normalised samples of a sound, read forward only: what lies behind the last read is dropped."""

    def __init__(self, sound: StereoSound, loudness: Loudness) -> None:
        self._blocks = sound.blocks()
        self._loudness = loudness
        self._held: list[Any] = []
        self._start = self._end = 0
        """Where the kept blocks start and end, in samples of the film."""

    def read(self, start: int, count: int) -> Any:
        """Return `count` samples as float32, shape (2, count); before and after the film there are zeros.

        `start` must not be smaller than in an earlier call.
        """
        import numpy as np

        self._forget(start)
        self._fetch(start + count)
        found = np.zeros((_CHANNELS, count), dtype=np.float32)
        place = self._start
        for block in self._held:
            low, high = max(start, place), min(start + count, place + block.shape[1])
            if low < high:
                found[:, low - start : high - start] = block[:, low - place : high - place]
            place += block.shape[1]
        return found

    def _forget(self, before: int) -> None:
        while self._held and self._start + self._held[0].shape[1] <= before:
            self._start += self._held.pop(0).shape[1]

    def _fetch(self, until: int) -> None:
        import numpy as np

        mean, deviation = np.float32(self._loudness.mean), np.float32(self._loudness.deviation)
        while self._end < min(until, self._loudness.length):
            block = next(self._blocks)
            self._held.append((block - mean) / deviation)
            self._end += block.shape[1]
