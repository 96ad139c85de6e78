"""A submission and its answer, as messages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from protocol.jobs.glossary import Term
from protocol.schema import SPARSE

__all__ = ["Submit", "Submitted"]


@dataclass(frozen=True, kw_only=True)
class Submit:
    """A submission: what a person asks for one film."""

    media: str
    """Absolute path."""
    workflow: str
    user: str
    out: str
    """Absolute path of the folder under which job folders are made."""
    source_language: str | None = None
    """ISO 639-1; None means: detect."""
    target_languages: tuple[str, ...] = ()
    title: str | None = None
    year: int | None = None
    audio_track: str | None = None
    """Number from 0 among the audio streams, or a language code."""
    start_ms: int | None = None
    end_ms: int | None = None
    parameters: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Stage to field to value, from `--set asr.model=small`."""
    environments: dict[str, str] = field(default_factory=dict)
    """Stage to the environment that is to do it: `asr` to `whisperx-experimental`."""
    with_stages: tuple[str, ...] = ()
    """Optional stages that are asked for (`separate`)."""
    without_stages: tuple[str, ...] = ()
    """Optional stages that are to be left out (`vad`)."""
    debug: bool = False
    hold: bool = False
    """Make the job, and let it wait for `ResumeJobs`."""
    priority: int = 0
    """Steps of a higher one are done first."""
    key: str = ""
    """Chosen by the client: the same key again is answered with the job that there is."""
    beside: bool = False
    """Put the subtitles beside the film, too: `Film.en.srt`."""
    reuse: bool = True
    """Take over steps that another job has done with the same inputs, engine, model and parameters."""
    glossary: tuple[Term, ...] = field(default=(), metadata=SPARSE)
    """How names and terms are written: those that are nearest to the film."""


@dataclass(frozen=True, kw_only=True)
class Submitted:
    """The job is in the store, so it will be done even if the client goes away."""

    job: str
    directory: str
    notes: tuple[str, ...] = ()
    """Sentences about choices made: an engine passed over, a target that is the source."""
