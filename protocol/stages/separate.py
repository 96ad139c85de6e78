"""separate: the voices of a film without its music and noise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.schema import SPARSE
from protocol.timeline import Span

__all__ = ["STAGE", "SeparateRequest", "SeparateResult"]


@dataclass(frozen=True, kw_only=True)
class SeparateRequest:
    """Take the voices out of `audio`: FLAC, 44.1 kHz, stereo, on the film's clock."""

    audio: Artefact
    model: str = "htdemucs"
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1`, `mps`."""
    segment_ms: int = 0
    """Sound that goes through the model at once; 0: what the model was trained with, which is the most."""
    overlap: float = 0.25
    """Share of a segment that the next one covers again, 0 to under 1; more is smoother and slower."""
    batch_size: int = 0
    """Segments computed at once; 0: what suits the device."""
    when: Literal["always", "auto"] = field(default="always", metadata=SPARSE)
    """`auto`: only where the voices do not stand out of the rest; the film's own sound elsewhere."""
    own: Artefact | None = field(default=None, metadata=SPARSE)
    """With `auto`, the same sound as pcm_s16le, 16 kHz, mono."""


@dataclass(frozen=True, kw_only=True)
class SeparateResult:
    """`vocals` is pcm_s16le, 16 kHz, mono: as long as the film's sound and on the same clock.

    With `auto` it holds the voices in the stretches `separated`, and the film's own sound elsewhere.
    """

    vocals: Artefact
    duration_ms: int
    model: str
    device: str
    separated: tuple[Span, ...] = field(default=(), metadata=SPARSE)
    """With `auto`, where the voices were taken out."""
    notes: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """With `auto`, how much of the film that is."""


STAGE = Stage(
    name="separate",
    folder="04_separate",
    version=1,
    request=SeparateRequest,
    result=SeparateResult,
    budget_ms=600_000,
    budget_per_media=10.0,
    # A network of htdemucs' shape takes a core 1.2 s for a second of sound, whisper-base 0.05 to 0.11 s.
    weight=800,
    optional="when-asked",
    filled=frozenset({"own"}),
)
