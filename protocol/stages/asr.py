"""asr: speech to segments of text."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.schema import SPARSE
from protocol.timeline import Span

__all__ = ["HEARD_SO_FAR", "STAGE", "AsrRequest", "AsrResult"]

HEARD_SO_FAR = "heard.jsonl"
"""In the scratch folder of a running call: a `Segment` a line, as it is heard. It goes with the folder."""


@dataclass(frozen=True, kw_only=True)
class AsrRequest:
    """Recognise the speech in `audio` (16 kHz mono WAV)."""

    audio: Artefact
    speech: tuple[Span, ...] | None = None
    """Where the stage vad heard speech; None: the engine listens for itself."""
    language: str | None = None
    """ISO 639-1; None: detect, and where several are spoken recognise each stretch in its own."""
    model: str = "whisper-base"
    """Id in the model store."""
    device: str = "auto"
    """`auto`, `cpu`, `cuda`, `cuda:1`."""
    compute_type: str = "auto"
    """`auto` is float16 on cuda and int8 on cpu."""
    beam_size: int = 5
    batch_size: int = 0
    """Chunks recognised at once; 0: the engine's own number. 1: little memory, nothing side by side."""
    chunk_ms: int = 30_000
    vad_onset: float = 0.5
    vad_offset: float = 0.363
    initial_prompt: str | None = None
    hotwords: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AsrResult:
    """`segments` is a `Transcript` as JSON, without words. `speech` are the stretches VAD found."""

    segments: Artefact
    language: str
    """ISO 639-1; `und` where there is no speech and the request names no language. Of several languages the
    one of most speech."""
    language_probability: float | None
    segment_count: int
    speech: tuple[Span, ...]
    device: str
    compute_type: str
    model: str
    languages: dict[str, int] = field(default_factory=dict, metadata=SPARSE)
    """Where several languages are spoken: the speech in each in milliseconds, the most first. Else empty."""
    notes: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """What a person must know: hot words that the model had no room for."""


STAGE = Stage(
    name="asr",
    folder="06_asr",
    version=2,
    request=AsrRequest,
    result=AsrResult,
    budget_ms=300_000,
    budget_per_media=10.0,
    weight=50,
    finds_language=True,
    model_prefix="whisper-",
    options={"language": "--source-language"},
)
