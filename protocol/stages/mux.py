"""mux: the film again, with its subtitles as soft tracks."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.artefacts import Artefact

__all__ = ["MuxRequest", "MuxResult", "SubtitleTrack"]


@dataclass(frozen=True, kw_only=True)
class SubtitleTrack:
    """One SRT file and its language (ISO 639-1, or `und`)."""

    file: Artefact
    language: str


@dataclass(frozen=True, kw_only=True)
class MuxRequest:
    """Copy the streams of the film at the absolute path `media`, untouched, and add the tracks."""

    media: str
    tracks: tuple[SubtitleTrack, ...]
    title: str


@dataclass(frozen=True, kw_only=True)
class MuxResult:
    """`film` is `<title>_subtitled.mkv` or `.mp4`."""

    film: Artefact
    track_languages: tuple[str, ...]
