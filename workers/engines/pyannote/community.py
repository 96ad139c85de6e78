"""Who speaks when, by one of pyannote.audio's own pipelines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocol.timeline import Turn
from workers.engines.pyannote.asked import Bounds
from workers.engines.pyannote.found import Found
from workers.speech.sound import SAMPLE_RATE, Sound

__all__ = ["by_pipeline"]

_PARTS = {"segmentation": (0.0, 0.4), "embeddings": (0.4, 0.95)}
"""The steps of the pipeline that tell how far they are, and where on the whole way they lie."""


def by_pipeline(
    pipeline: Any, sound: Sound, bounds: Bounds, batch_size: int, progress: Callable[[float], None]
) -> Found:
    """Return what the pipeline finds; `progress` is called with 0 to 1.

    The pipeline wants all samples at once: a film of three hours takes 700 MB.
    """
    import numpy as np
    import torch

    def hook(step: str, _artefact: Any, total: int = 0, completed: int = 0, **_more: Any) -> None:
        begins, ends = _PARTS.get(step, (0.95, 0.95))
        progress(begins + (ends - begins) * min(1.0, completed / total if total else 0.0))

    if batch_size:
        pipeline.segmentation_batch_size = pipeline.embedding_batch_size = batch_size
    samples = sound.samples(0, sound.sample_count)
    # pyannote does not read the file itself: it needs torchcodec for it, which not every machine has.
    sounded = {"waveform": torch.from_numpy(samples).unsqueeze(0), "sample_rate": SAMPLE_RATE, "uri": "film"}
    asked = {"min_speakers": bounds.least, "max_speakers": bounds.most or None}
    output = pipeline(sounded, hook=hook, **asked)
    labels = output.speaker_diarization.labels()
    embeddings = output.speaker_embeddings
    if embeddings is None:
        embeddings = np.zeros((len(labels), 0), np.float32)
    return Found(
        timeline=_turns(output.speaker_diarization, sound.duration_ms),
        exclusive=_turns(output.exclusive_speaker_diarization, sound.duration_ms),
        embeddings={label: embeddings[number] for number, label in enumerate(labels)},
    )


def _turns(annotation: Any, duration_ms: int) -> tuple[Turn, ...]:
    turns = [
        Turn(
            start_ms=max(0, round(segment.start * 1000)),
            end_ms=min(duration_ms, round(segment.end * 1000)),
            speaker=str(speaker),
        )
        for segment, _, speaker in annotation.itertracks(yield_label=True)
    ]
    return tuple(turn for turn in turns if turn.end_ms > turn.start_ms)
