"""Where somebody speaks: whisperx's pyannote VAD over the whole film, in blocks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.stages.asr import Span
from workers.engines.whisperx.sound import SAMPLE_RATE, Sound

__all__ = ["Voice", "hear", "warm_up_vad"]

# The model's frames are 270 samples (16.875 ms) apart: blocks that start on a frame join without a seam.
_FRAME = 270
_BLOCK = 20_000 * _FRAME
"""5 min 37 s: a cancelled film stops within seconds, and memory does not grow with the film."""
_OVERLAP = 600 * _FRAME
"""10 s of each neighbour are heard too, so that no block starts or ends deaf; the model sees 5 s at once."""
_SHORTEST = SAMPLE_RATE // 10


@dataclass(frozen=True, kw_only=True)
class Voice:
    """The stretches of speech in order, and VAD's highest score in each (0 to 1)."""

    spans: tuple[Span, ...]
    peaks: dict[Span, float]

    def peak(self, spans: Sequence[Span]) -> float:
        """Return the highest score in any of the spans; 1.0 for one that VAD did not make."""
        return max((self.peaks.get(each, 1.0) for each in spans), default=0.0)


def warm_up_vad(vad: Any) -> None:
    """Put some silence through the model, so that the first film is as fast as the second."""
    import numpy as np

    _score(vad, np.zeros(6 * SAMPLE_RATE, dtype=np.float32))


def hear(
    vad: Any, sound: Sound, *, onset: float, offset: float, limit_ms: int, progress: Callable[[float], None]
) -> Voice:
    """Return where somebody speaks.

    Speech starts where the score passes `onset` and ends where it falls under `offset`; a stretch longer
    than `limit_ms` is cut where its score is lowest (whisperx.vads.pyannote.Binarize).
    """
    from pyannote.core import SlidingWindow, SlidingWindowFeature
    from whisperx.vads.pyannote import Binarize

    if sound.sample_count < _SHORTEST:
        return Voice(spans=(), peaks={})
    scores = _scores(vad, sound, progress)
    step = _FRAME / SAMPLE_RATE
    frames = SlidingWindow(start=0.0, duration=step, step=step)
    binarize = Binarize(onset=onset, offset=offset, max_duration=limit_ms / 1000)
    found: dict[Span, float] = {}
    for region in binarize(SlidingWindowFeature(scores[:, None], frames)).get_timeline():
        start, end = round(region.start * 1000), min(round(region.end * 1000), sound.duration_ms)
        if end > start:
            heard = scores[int(region.start / step) : int(region.end / step) + 1]
            found[Span(start_ms=start, end_ms=end)] = float(heard.max())
    return Voice(spans=tuple(found), peaks=found)


def _scores(vad: Any, sound: Sound, progress: Callable[[float], None]) -> Any:
    import numpy as np

    parts = []
    for start in range(0, sound.sample_count, _BLOCK):
        progress(start / sound.sample_count)
        before = min(start, _OVERLAP)
        block = _score(vad, sound.samples(start - before, before + _BLOCK + _OVERLAP))
        skip = before // _FRAME
        last = start + _BLOCK >= sound.sample_count
        parts.append(block[skip:] if last else block[skip : skip + _BLOCK // _FRAME])
    return np.nan_to_num(np.concatenate(parts))


def _score(vad: Any, samples: Any) -> Any:
    """Return VAD's scores, shape (frames,), of float32 samples, shape (n,)."""
    import torch

    waveform = torch.from_numpy(samples).unsqueeze(0)
    return vad({"waveform": waveform, "sample_rate": SAMPLE_RATE}).data[:, 0]
