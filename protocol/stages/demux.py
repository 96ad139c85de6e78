"""demux: the film's sound as 16 kHz mono on the film's clock, and facts about its streams."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.artefacts import Artefact, FilmFile
from protocol.pipeline import Stage

__all__ = ["STAGE", "AudioTrack", "DemuxRequest", "DemuxResult", "FilmLengths", "MediaFacts"]


@dataclass(frozen=True, kw_only=True)
class AudioTrack:
    """One audio stream: `number` counts from 0, `starts_ms` is against the container's start."""

    number: int
    codec: str
    language: str
    channels: int
    starts_ms: int
    title: str = ""
    purpose: str = ""
    """What it is for, by its flags or its title: `original`, `dub`, `commentary`, `description`, `music`;
    empty for the film's own sound."""


@dataclass(frozen=True, kw_only=True)
class MediaFacts:
    """What the container says of itself."""

    duration_ms: int
    container: str
    has_video: bool
    frames_per_second: float | None
    audio_tracks: tuple[AudioTrack, ...]
    subtitle_languages: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FilmLengths:
    """How long some films are, in the order in which they were named; None for one that cannot be read."""

    lengths_ms: tuple[int | None, ...]
    subtitle_languages: tuple[tuple[str, ...], ...] = ()
    """Of each film the languages of its own subtitle tracks, `und` where a track says none."""


@dataclass(frozen=True, kw_only=True)
class DemuxRequest:
    """Take the sound out of the film at the absolute path `media`."""

    media: str
    audio_track: str | None = None
    """Number from 0 among the audio streams, or a language code; None: the one with the film's dialogue."""
    language: str | None = None
    """What the film is said to speak: without `audio_track`, a track in this language goes before others."""
    start_ms: int | None = None
    end_ms: int | None = None
    full_band: bool = False
    """Write the sound as the stage separate reads it, too."""
    shot_changes: bool = False
    """Look for the shots of the picture, too: all of it is decoded, which takes minutes."""


@dataclass(frozen=True, kw_only=True)
class DemuxResult:
    """`audio` is pcm_s16le, 16 kHz, mono; its time 0 is the film's time 0, late sound padded with silence.

    With a clip, its time 0 is `clip_start_ms` of the film.
    """

    audio: Artefact
    audio_duration_ms: int
    audio_track: int
    clip_start_ms: int
    facts: MediaFacts
    full_band: Artefact | None = None
    """Where asked for: FLAC, 16 bit, 44.1 kHz, stereo, on the same clock and as long to within a sample."""
    shot_changes_ms: tuple[int, ...] = ()
    """Where asked for: the first moment of every shot but the first, on the film's clock, with a clip too."""
    film: FilmFile | None = None
    """The film that was read; None where it was written to meanwhile, or nobody looked."""
    notes: tuple[str, ...] = ()
    """What a person must know of the sound: which track it is where there are several, which channel."""


STAGE = Stage(
    name="demux",
    folder="01_demux",
    version=2,
    request=DemuxRequest,
    result=DemuxResult,
    budget_ms=600_000,
    budget_per_media=1.0,
    weight=3,
    cores=1,
    options={"audio_track": "--audio-track", "start_ms": "--start", "end_ms": "--end"},
    filled=frozenset({"full_band", "language"}),
)
