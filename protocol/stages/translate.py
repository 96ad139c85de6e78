"""translate: a transcript in another language, on the same clock."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.artefacts import Artefact
from protocol.jobs.glossary import Term
from protocol.pipeline import Stage
from protocol.schema import SPARSE
from protocol.timeline import Span

__all__ = ["MODEL_OF_SERVICE", "STAGE", "TranslateRequest", "TranslateResult"]

MODEL_OF_SERVICE = "endpoint"
"""In place of a model's id, for an engine that asks a service: whichever model the service offers first."""


@dataclass(frozen=True, kw_only=True)
class TranslateRequest:
    """Translate `transcript` (a `Transcript` with words) to `target_language` (ISO 639-1).

    Text engines read the transcript, speech engines `audio` at the transcript's segments.
    """

    transcript: Artefact
    audio: Artefact
    speech: tuple[Span, ...] = ()
    source_language: str
    """The transcript's; a segment in another language is translated from that one."""
    target_language: str
    source_script: str = ""
    """ISO 15924 (`Deva`, `Arab`) of a language with several scripts; empty: its usual one."""
    target_script: str = ""
    model: str = "whisper-base"
    """Id in the model store; the coordinator chooses one that has the pair. For an engine that asks a service
    the name of one of the service's models, or `MODEL_OF_SERVICE`."""
    device: str = "auto"
    compute_type: str = "auto"
    beam_size: int = 0
    """0: what suits the engine (5 for Whisper, 4 for text)."""
    batch_size: int = 0
    """Sentences or chunks at once; 0: what suits the device."""
    retry: bool = True
    """Try doubtful sentences again in another way; else they are only marked."""
    synopsis: str = field(default="", metadata=SPARSE)
    """What the film is about, for an engine that reads whole scenes: a thousand characters at most."""
    glossary: tuple[Term, ...] = field(default=(), metadata=SPARSE)
    """How names and terms are written in the translation."""
    draft: Artefact | None = field(default=None, metadata=SPARSE)
    """A `Transcript` in the target language by another translator, a segment for each sentence: only segments
    marked `untranslated` are translated, the others stay."""


@dataclass(frozen=True, kw_only=True)
class TranslateResult:
    """`transcript` is a `Transcript` as JSON in the target language, with words and times."""

    transcript: Artefact
    segment_count: int
    model: str
    engine: str = ""
    marks: dict[str, int] = field(default_factory=dict)
    """How many segments carry each mark (`Segment.marks`): text that is not passed off as a translation."""
    doubted: int = 0
    """How many segments carry a mark, one or several."""
    retried: int = 0
    """How many segments were doubtful at first and tried again in another way, whichever text is kept."""
    notes: tuple[str, ...] = field(default=(), metadata=SPARSE)
    """What of a film in several languages could not be translated; what the engine used for it."""
    left: int = field(default=0, metadata=SPARSE)
    """How many segments the engine leaves to the next translator: they are marked `untranslated`, and
    `transcript` is that one's `draft`."""


STAGE = Stage(
    name="translate",
    folder="10_translate",
    version=3,
    request=TranslateRequest,
    result=TranslateResult,
    budget_ms=300_000,
    budget_per_media=10.0,
    weight=40,
    by_languages=True,
    filled=frozenset({"draft", "glossary"}),
)
