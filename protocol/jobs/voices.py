"""The voices of a film, as the stage diarize leaves them in `voices.json`."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["VOICES", "Voice", "Voices"]

VOICES = "voices.json"


@dataclass(frozen=True, kw_only=True)
class Voice:
    """A voice of one film."""

    id: str
    """The id of a `Speaker`."""
    speech_ms: int
    """The time of its turns."""
    embedding: tuple[float, ...]
    """Of length 1 (L2): its cosine with another tells how alike two voices are."""


@dataclass(frozen=True, kw_only=True)
class Voices:
    """The body of `voices.json`. Only embeddings of one `model` can be compared."""

    version: int = 1
    model: str
    """Id of the model that made the embeddings."""
    voices: tuple[Voice, ...]
