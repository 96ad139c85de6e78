"""The film's sound, read from its file in parts: memory does not grow with the film."""

from __future__ import annotations

import threading
import wave
from pathlib import Path
from types import TracebackType
from typing import Any

from protocol.errors import InputError
from protocol.timeline import Span

__all__ = ["SAMPLE_RATE", "Sound"]

SAMPLE_RATE = 16_000
_SAMPLES_PER_MS = SAMPLE_RATE // 1000


class Sound:
    """A WAV file of 16 kHz, mono, 16 bits, open for reading; a context manager. Every thread may read it."""

    def __init__(self, path: Path) -> None:
        try:
            # __exit__ closes it; wave reads the header now, and samples when they are asked for.
            self._file = wave.open(str(path), "rb")  # noqa: SIM115 (the caller closes it)
        except (wave.Error, EOFError) as error:
            message = f"{path.name} is not a WAV file: {error}."
            raise InputError(message) from error
        form = (self._file.getframerate(), self._file.getnchannels(), self._file.getsampwidth())
        if form != (SAMPLE_RATE, 1, 2):
            self._file.close()
            message = (
                f"{path.name} has {form[0]} Hz, {form[1]} channels, {8 * form[2]} bits; needed: 16000, 1, 16."
            )
            raise InputError(message)
        self.sample_count = self._file.getnframes()
        self._lock = threading.Lock()

    def __enter__(self) -> Sound:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._file.close()

    @property
    def whole(self) -> Span:
        """Return the time from the sound's start to its end."""
        return Span(start_ms=0, end_ms=self.duration_ms)

    @property
    def duration_ms(self) -> int:
        """Return the length of the sound, rounded up."""
        return -(-self.sample_count // _SAMPLES_PER_MS)

    def between(self, start_ms: int, end_ms: int) -> Any:
        """Return the samples between two times, in the form of `samples`."""
        return self.samples(start_ms * _SAMPLES_PER_MS, (end_ms - start_ms) * _SAMPLES_PER_MS)

    def count_between(self, span: Span) -> int:
        """Return how many samples `between` gives for these times."""
        first = min(max(0, span.start_ms * _SAMPLES_PER_MS), self.sample_count)
        return max(0, min((span.end_ms - span.start_ms) * _SAMPLES_PER_MS, self.sample_count - first))

    def samples(self, first: int, count: int) -> Any:
        """Return `count` samples as float32 in -1 to 1, shape (n,); fewer at the end of the file."""
        import numpy as np

        first = min(max(0, first), self.sample_count)
        with self._lock:
            self._file.setpos(first)
            raw = self._file.readframes(max(0, min(count, self.sample_count - first)))
        return np.frombuffer(raw, dtype="<i2").astype(np.float32) / np.float32(32768)
