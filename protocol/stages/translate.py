"""translate: a transcript in another language, on the same clock."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.artefacts import Artefact
from protocol.stages.asr import Span

__all__ = ["TranslateRequest", "TranslateResult"]


@dataclass(frozen=True, kw_only=True)
class TranslateRequest:
    """Translate `transcript` (a `Transcript` with words) to `target_language` (ISO 639-1).

    Text engines read the transcript, speech engines `audio` at the transcript's segments.
    """

    transcript: Artefact
    audio: Artefact
    speech: tuple[Span, ...] = ()
    source_language: str
    target_language: str
    model: str = "whisper-base"
    device: str = "auto"
    compute_type: str = "auto"
    beam_size: int = 5
    batch_size: int = 0


@dataclass(frozen=True, kw_only=True)
class TranslateResult:
    """`transcript` is a `Transcript` as JSON in the target language, with words and times."""

    transcript: Artefact
    segment_count: int
    model: str
