"""The voices of a film: as the stage diarize leaves them, and what people call them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = [
    "SPEAKERS",
    "VOICES",
    "ForgetVoices",
    "KnownVoice",
    "NameSpeakers",
    "NamedVoice",
    "SaidName",
    "SpeakerNames",
    "SpeakersQuery",
    "SpeakersReport",
    "Voice",
    "Voices",
    "VoicesQuery",
    "VoicesReport",
]

VOICES = "voices.json"
"""Its name in the folder of the stage."""
SPEAKERS = "speakers.json"
"""In the job folder: a `SpeakerNames`."""


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


@dataclass(frozen=True, kw_only=True)
class SaidName:
    """What a person calls a voice, and the voice: told apart anew, the voices may have other numbers."""

    id: str
    name: str
    """Empty: it has none, whatever is known of its series."""
    model: str
    embedding: tuple[float, ...] = ()
    """Empty where the voice has none: it said too little."""


@dataclass(frozen=True, kw_only=True)
class SpeakerNames:
    """What a person calls the voices of a job. The body of `speakers.json`."""

    version: int = 1
    voices: tuple[SaidName, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NamedVoice:
    """A voice of a job, and what it is called."""

    id: str
    name: str
    by: Literal["person", "series", ""]
    """Who said so: a person of this film, or of another one of its series."""
    likeness_percent: int = 0
    """By the series: how like the known voice it is."""
    speech_ms: int = 0


@dataclass(frozen=True, kw_only=True)
class SpeakersQuery:
    """Asks for the voices of a job."""

    job: str


@dataclass(frozen=True, kw_only=True)
class NameSpeakers:
    """Call voices of a job by names, keep them for its series, and make its subtitles again."""

    job: str
    names: dict[str, str]
    """A voice's id to its name; an empty one takes the name away."""


@dataclass(frozen=True, kw_only=True)
class SpeakersReport:
    """Answer to `SpeakersQuery` and `NameSpeakers`."""

    job: str
    series: str
    told_apart: Literal["yes", "later", "no"]
    """Whether it is known who speaks: later, where the job has not come so far; no: nobody asked for it."""
    voices: tuple[NamedVoice, ...] = ()
    transcript: str = ""
    """The file of the transcript with the words that they say; empty where there is none."""
    offset_ms: int = 0
    """Added to the transcript's times: then they are on the film's clock."""
    steps: tuple[str, ...] = ()
    """What is done again, with the new names."""


@dataclass(frozen=True, kw_only=True)
class VoicesQuery:
    """Asks for the voices that are known on this machine, of one series or of all."""

    series: str = ""


@dataclass(frozen=True, kw_only=True)
class ForgetVoices:
    """Forget a name, or all names, of one series or of all.

    Which has no default: a message without these fields forgets nothing.
    """

    series: str
    """Empty: all."""
    name: str
    """Empty: all."""


@dataclass(frozen=True, kw_only=True)
class KnownVoice:
    """A voice that a person has named; its embedding stays where it is."""

    series: str
    name: str
    films: tuple[str, ...]
    """The titles of those that it was named in."""
    speech_ms: int


@dataclass(frozen=True, kw_only=True)
class VoicesReport:
    """Answer to `VoicesQuery` (who is known), and to `ForgetVoices` (who is not any more)."""

    voices: tuple[KnownVoice, ...]
