"""Where somebody speaks, by whisperx's own VAD: for jobs without the stage vad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.timeline import Span
from workers.speech.blocks import Grid, score_in_blocks
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.voice_activity import SpeechRule, speech_in

__all__ = ["find_speech"]

_GRID = Grid(frame=270, step=8_000, window=80_000)
"""A frame of the model is 16.875 ms long. Its windows are 5 s long and start half a second apart."""
_SHORTEST = SAMPLE_RATE // 10


def find_speech(
    vad: Any, sound: Sound, rule: SpeechRule, progress: Callable[[float], None]
) -> tuple[Span, ...]:
    """Return where somebody speaks, and how surely; `progress` is called with 0 to 1."""
    if sound.sample_count < _SHORTEST:
        return ()
    return speech_in(score_in_blocks(sound, _GRID, lambda samples, _: _score(vad, samples), progress), rule)


def _score(vad: Any, samples: Any) -> Any:
    """Return the `SlidingWindowFeature` of VAD's scores of float32 samples, shape (n,)."""
    import torch

    return vad({"waveform": torch.from_numpy(samples).unsqueeze(0), "sample_rate": SAMPLE_RATE})
