"""align: a time for every word; speech that has no word is heard again."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.artefacts import Artefact
from protocol.pipeline import Stage
from protocol.timeline import Span

__all__ = ["STAGE", "AlignRequest", "AlignResult"]


@dataclass(frozen=True, kw_only=True)
class AlignRequest:
    """Give the words of `segments` (a `Transcript`) their times in `audio`."""

    audio: Artefact
    segments: Artefact
    speech: tuple[Span, ...] = ()
    """Where VAD heard speech: words are kept to it."""
    method: str = "auto"
    """`auto`: wav2vec2 where the store has the language's model, else Whisper's cross-attention."""
    min_score: float = 0.25
    """A sentence whose words have a lower mean score with wav2vec2 is timed by cross-attention instead.

    A word's score is how probable the model finds its letters where it puts them, each at its best: near 1
    for what is said clearly, near 0 for words that are not, 1 over the size of the alphabet (0.03) where the
    model knows nothing.
    """
    model: str = "whisper-base"
    """The Whisper model used for cross-attention."""
    device: str = "auto"
    compute_type: str = "auto"


@dataclass(frozen=True, kw_only=True)
class AlignResult:
    """`transcript` is a `Transcript` as JSON whose segments have words."""

    transcript: Artefact
    word_count: int
    timed_by: dict[str, int]
    """How many words each method timed."""
    notes: tuple[str, ...] = ()
    """What was heard only the second time."""


STAGE = Stage(
    name="align",
    folder="07_align",
    version=1,
    request=AlignRequest,
    result=AlignResult,
    budget_ms=300_000,
    budget_per_media=5.0,
    weight=12,
    model_prefix="whisper-",
    # One Whisper for both: a second one would be loaded beside it.
    model_of="asr",
)
