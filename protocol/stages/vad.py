"""vad: where in the film somebody speaks."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.timeline import Span

__all__ = ["STAGE", "VadRequest", "VadResult"]


@dataclass(frozen=True, kw_only=True)
class VadRequest:
    """Find the speech in `audio` (16 kHz mono WAV).

    Speech starts where the score passes `onset` and ends where it falls under `offset`; pauses shorter
    than `min_silence_ms` are joined first, then stretches shorter than `min_speech_ms` dropped. The defaults
    are those of whisperx's own listening: asr writes the same with these stretches as with its own.
    """

    audio: Artefact
    method: str = "pyannote"
    """`pyannote` or `silero`."""
    model: str = "pyannote-segmentation"
    """Id in the model store of the checkpoint that `pyannote` uses."""
    device: str = "auto"
    onset: float = 0.5
    offset: float = 0.363
    min_speech_ms: int = 0
    min_silence_ms: int = 0
    pad_ms: int = 0
    """Added before and after each stretch."""
    max_speech_ms: int = 29_000
    """A longer stretch is cut where its score is lowest: Whisper hears 30 s at once. 0: none is cut."""
    batch_size: int = 0
    """Windows heard at once; 0: what suits the device."""


@dataclass(frozen=True, kw_only=True)
class VadResult:
    """`segments` is `speech_segments.json`: `{"version": 1, "speech": [Span, ...]}`, the same as `speech`."""

    segments: Artefact
    speech: tuple[Span, ...]
    """In order, not overlapping, each with the highest score in it as `peak`."""
    speech_ms: int
    method: str
    device: str


STAGE = Stage(
    name="vad",
    folder="05_vad",
    version=1,
    request=VadRequest,
    result=VadResult,
    budget_ms=300_000,
    budget_per_media=2.0,
    weight=30,
    optional="when-built",
    # Silero's weights are part of its package.
    no_model_with={"method": "silero"},
)
