"""diarize: who speaks when."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.schema import SPARSE
from protocol.timeline import Speaker, Turn

__all__ = ["STAGE", "DiarizeRequest", "DiarizeResult"]


@dataclass(frozen=True, kw_only=True)
class DiarizeRequest:
    """Tell the speakers in `audio` (16 kHz mono WAV) apart."""

    audio: Artefact
    speakers: str = ""
    """How many people speak: `2`, or from two to five `2-5`; empty: not known."""
    model: str = "speakers-campplus"
    """Id in the model store."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1`."""
    batch_size: int = 0
    """Windows heard at once; 0: what suits the device."""


@dataclass(frozen=True, kw_only=True)
class DiarizeResult:
    """`turns` are exclusive: at each moment one speaks at most. Whom the engine doubts has no turn."""

    turns: tuple[Turn, ...]
    """In order, not overlapping."""
    speakers: tuple[Speaker, ...]
    """By their ids: `1` is who speaks first."""
    timeline: Artefact
    """`turns.json`: `{"version": 1, "turns": [Turn, ...]}` where two may speak at once."""
    voices: Artefact
    """`voices.json`: `{"version": 1, "model": ..., "voices": [Voice, ...]}`, each with its embedding."""
    model: str
    device: str
    notes: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """What a person must know: voices that could not be told apart, who was left without a number."""


STAGE = Stage(
    name="diarize",
    folder="08_diarize",
    version=1,
    request=DiarizeRequest,
    result=DiarizeResult,
    budget_ms=300_000,
    budget_per_media=5.0,
    weight=60,
    optional="when-asked",
)
