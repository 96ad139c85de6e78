"""Where somebody speaks: whisperx's pyannote VAD over the whole film, in blocks."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.timeline import Span
from workers.engines.whisperx.sound import SAMPLE_RATE, Sound

__all__ = ["Voice", "hear", "warm_up_vad"]

# The model's frames are 270 samples (16.875 ms) apart and its windows, of 5 s, 8000 samples. Blocks that
# start on both, with more than a window of each neighbour, join without a seam: the scores are those of one
# pass.
_FRAME = 270
_GRID = math.lcm(_FRAME, 8_000)
_BLOCK = 25 * _GRID
"""5 min 37 s: a cancelled film stops within seconds, and memory does not grow with the film."""
_OVERLAP = _GRID
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
    from pyannote.core import SlidingWindowFeature
    from whisperx.vads.pyannote import Binarize

    if sound.sample_count < _SHORTEST:
        return Voice(spans=(), peaks={})
    scores, frames = _scores(vad, sound, progress)
    binarize = Binarize(onset=onset, offset=offset, max_duration=limit_ms / 1000)
    found: dict[Span, float] = {}
    for region in binarize(SlidingWindowFeature(scores, frames)).get_timeline():
        start, end = round(region.start * 1000), min(round(region.end * 1000), sound.duration_ms)
        if end > start:
            heard = scores[frames.closest_frame(region.start) : frames.closest_frame(region.end) + 1]
            found[Span(start_ms=start, end_ms=end)] = float(heard.max())
    return Voice(spans=tuple(found), peaks=found)


def _scores(vad: Any, sound: Sound, progress: Callable[[float], None]) -> tuple[Any, Any]:
    """Return VAD's scores for the whole sound, shape (frames, 1), and the frames' `SlidingWindow`."""
    import numpy as np

    parts = []
    frames: Any = None
    for start in range(0, sound.sample_count, _BLOCK):
        progress(start / sound.sample_count)
        before = min(start, _OVERLAP)
        block = _score(vad, sound.samples(start - before, before + _BLOCK + _OVERLAP))
        frames = block.sliding_window if frames is None else frames
        skip = before // _FRAME
        last = start + _BLOCK >= sound.sample_count
        parts.append(block.data[skip:] if last else block.data[skip : skip + _BLOCK // _FRAME])
    return np.nan_to_num(np.concatenate(parts)), frames


def _score(vad: Any, samples: Any) -> Any:
    """Return the `SlidingWindowFeature` of VAD's scores of float32 samples, shape (n,)."""
    import torch

    return vad({"waveform": torch.from_numpy(samples).unsqueeze(0), "sample_rate": SAMPLE_RATE})
