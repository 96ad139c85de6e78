"""What Whisper's encoder makes of sound: made once, and kept for the stages that need the same."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from protocol.timeline import Span
from workers.lanes import busy_lanes
from workers.speech.sound import Sound

__all__ = ["KEPT_BYTES", "EncodedFilm", "Kept", "LoadedWhisper", "features"]

KEPT_BYTES = 200_000_000
"""So much is kept at most. Half a minute of sound is 3.1 MB for whisper-base and 7.7 MB for whisper-large."""

_Key = tuple[str, int, int]


class Kept:
    """Arrays by film and time, up to a number of bytes. Every thread may use it.

    Where it is full, films that were encoded earlier lose theirs; the first film's own earlier arrays stay,
    because the next stage begins with them.
    """

    def __init__(self, limit_bytes: int = KEPT_BYTES) -> None:
        self._limit_bytes = limit_bytes
        self._arrays: dict[_Key, Any] = {}
        self._lock = threading.Lock()

    def get(self, film: str, span: Span) -> Any:
        """Return what was kept, or None."""
        with self._lock:
            return self._arrays.get((film, span.start_ms, span.end_ms))

    def put(self, film: str, span: Span, array: Any) -> None:
        """Keep the array where there is room, or room can be made."""
        with self._lock:
            others = [key for key in self._arrays if key[0] != film]
            while others and self._bytes() + array.nbytes > self._limit_bytes:
                del self._arrays[others.pop(0)]
            if self._bytes() + array.nbytes <= self._limit_bytes:
                self._arrays[film, span.start_ms, span.end_ms] = array

    def _bytes(self) -> int:
        return sum(array.nbytes for array in self._arrays.values())


@dataclass(frozen=True, kw_only=True)
class LoadedWhisper:
    """A model, and what its encoder made."""

    model: Any
    """The `whisperx.asr.WhisperModel`."""
    lanes: int
    """So many threads may decode with it at the same time ..."""
    threads: int
    """... and each of them computes with so many."""
    given: Callable[[], int]
    """Returns how many threads the call may keep busy now."""
    kept: Kept = field(default_factory=Kept)

    def lanes_now(self) -> int:
        """Return how many of the lanes the call may keep busy now."""
        return busy_lanes(self.lanes, self.threads, self.given())


@dataclass(frozen=True, kw_only=True)
class EncodedFilm:
    """A model and the sound of one film. Every thread may use it."""

    whisper: LoadedWhisper
    sound: Sound
    film: str
    """What tells the film's sound from others: its sha256."""

    def encode(self, spans: Sequence[Span]) -> Any:
        """Return the `ctranslate2.StorageView` of these stretches of at most 30 s: float32 (n, 1500, width).

        On the processor each is encoded alone: then no number depends on what was encoded beside it, and a
        stage that finds nothing kept gets the same.
        """
        import ctranslate2
        import numpy as np

        kept = self.whisper.kept
        arrays = {span: kept.get(self.film, span) for span in spans}
        new = [span for span, array in arrays.items() if array is None]
        step = 1 if self.whisper.model.model.device == "cpu" else max(1, len(new))
        for first in range(0, len(new), step):
            group = new[first : first + step]
            for span, array in zip(group, self._encode(group), strict=True):
                kept.put(self.film, span, array)
                arrays[span] = array
        return ctranslate2.StorageView.from_array(np.stack([arrays[span] for span in spans]))

    def _encode(self, spans: Sequence[Span]) -> Any:
        import ctranslate2
        import numpy as np

        model = self.whisper.model
        mels = features(model, [self.sound.between(span.start_ms, span.end_ms) for span in spans])
        encoded = model.model.encode(ctranslate2.StorageView.from_array(mels), to_cpu=True)
        if encoded.dtype == ctranslate2.DataType.bfloat16:  # numpy does not have it
            encoded = encoded.to(ctranslate2.DataType.float32)
        return np.array(encoded)


def features(model: Any, sounds: Sequence[Any]) -> Any:
    """Return log-mel features, float32 (n, mels, 3000), of float32 samples of at most 30 s each."""
    import numpy as np
    from whisperx.audio import N_SAMPLES, log_mel_spectrogram

    mels = model.feat_kwargs.get("feature_size") or 80
    cut = [sound[:N_SAMPLES] for sound in sounds]
    return np.stack(
        [log_mel_spectrogram(sound, mels, padding=N_SAMPLES - len(sound)).numpy() for sound in cut]
    )
