"""Where somebody speaks, by whisperx's own VAD: for jobs without the stage vad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.timeline import Span
from workers.speech.blocks import Grid, score_in_blocks
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.voice_activity import SpeechRule, speech_in

__all__ = ["find_speech"]

_GRID = Grid(frame=270, step=16_000, window=80_000)
"""A frame of the model is 16.875 ms long. Its windows are 5 s long and start a second apart (`STEP_PART`)."""
_SHORTEST = SAMPLE_RATE // 10


def find_speech(
    vad: Any, sound: Sound, rule: SpeechRule, progress: Callable[[float], None]
) -> tuple[Span, ...]:
    """Return where somebody speaks, and how surely; `progress` is called with 0 to 1."""
    if sound.sample_count < _SHORTEST:
        return ()

    def score(samples: Any, done: Callable[[float], None]) -> Any:
        return _score(vad, samples, done)

    return speech_in(score_in_blocks(sound, _GRID, score, progress), rule)


def _score(vad: Any, samples: Any, done: Callable[[float], None]) -> Any:
    """Return the `SlidingWindowFeature` of VAD's scores of float32 samples, shape (n,).

    The pipeline would ask its model for the whole block at once and tell nothing meanwhile; asked here, the
    model gives the same scores and tells after each batch of windows. `done` may raise.
    """
    import torch

    def hook(completed: int, total: int) -> None:
        done(completed / max(1, total))

    sounded = {"waveform": torch.from_numpy(samples).unsqueeze(0), "sample_rate": SAMPLE_RATE}
    return vad._segmentation(sounded, hook=hook)  # noqa: SLF001 (its `apply` does only this, without the hook)
