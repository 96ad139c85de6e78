"""How surely somebody speaks, frame by frame, over a film of any length."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

from workers.speech.blocks import Grid, score_in_blocks
from workers.speech.sound import SAMPLE_RATE, Sound
from workers.speech.voice_activity import Scores

__all__ = ["by_pyannote", "by_silero"]

_SILERO_WINDOW = 512
"""A window in samples; silero takes no other number at 16 kHz."""
_TOLD_EVERY = 300
"""Progress is told after so many windows of silero's: about ten seconds of sound."""

_Progress = Callable[[float], None]


def by_pyannote(inference: Any, sound: Sound, progress: _Progress) -> Scores:
    """Return pyannote's scores; `progress` is called with 0 to 1."""

    def score(samples: Any, done: _Progress) -> Any:
        import torch

        def hook(completed: int, total: int) -> None:
            done(completed / max(1, total))

        # pyannote does not read the file itself: it needs torchcodec for it, which not every machine has.
        sounded = {"waveform": torch.from_numpy(samples).unsqueeze(0), "sample_rate": SAMPLE_RATE}
        return inference(sounded, hook=hook)

    grid = Grid(
        frame=round(inference.model.receptive_field.step * SAMPLE_RATE),
        step=round(inference.step * SAMPLE_RATE),
        window=round(inference.duration * SAMPLE_RATE),
    )
    return score_in_blocks(sound, grid, score, progress)


def by_silero(model: Any, sound: Sound, progress: _Progress) -> Scores:
    """Return silero's scores, one for every 32 ms; `progress` is called with 0 to 1."""
    import numpy as np
    import torch

    values = array("f")
    # The model remembers what it heard in the windows before.
    model.reset_states()
    with torch.inference_mode():
        for first in range(0, sound.sample_count, _SILERO_WINDOW * _TOLD_EVERY):
            progress(first / sound.sample_count)
            samples = sound.samples(first, _SILERO_WINDOW * _TOLD_EVERY)
            padded = np.pad(samples, (0, -len(samples) % _SILERO_WINDOW))
            for window in torch.from_numpy(padded).split(_SILERO_WINDOW):
                values.append(float(model(window, SAMPLE_RATE)))
    step_ms = _SILERO_WINDOW * 1000 / SAMPLE_RATE
    return Scores(values=values, first_ms=step_ms / 2, step_ms=step_ms, duration_ms=sound.duration_ms)
