"""mux: the film again, with its subtitles as soft tracks."""

from __future__ import annotations

from dataclasses import dataclass

from protocol.artefacts import Artefact
from protocol.pipeline import Stage

__all__ = ["FIRST", "NONE", "STAGE", "MuxRequest", "MuxResult", "SubtitleTrack"]

FIRST = "first"
NONE = "none"
"""Words that no language has for a code; a person can write them after `--set mux.default=`."""


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
    """Stem of the files' names; and the film's title, where it says none of its own."""
    year: int | None = None
    """The film's, where it says none of its own."""
    default: str = FIRST
    """Language of the added track that is shown from the start; `first`: the first one, `none`: none."""
    forced: tuple[str, ...] = ()
    """Languages whose added track is marked as forced: shown though nobody asked for subtitles."""
    burn: str | None = None
    """Language to draw into the picture as well, in a film of its own."""


@dataclass(frozen=True, kw_only=True)
class MuxResult:
    """`film` is `<title>_subtitled.mkv` or `.mp4`; `burned` is `<title>_burned.<language>.mp4`."""

    film: Artefact
    track_languages: tuple[str, ...]
    burned: Artefact | None = None
    """None where none was asked for, or nothing is said in the film."""
    notes: tuple[str, ...] = ()
    """What a person must know of the film: a stream of the old one that no container takes."""


STAGE = Stage(
    name="mux",
    folder="12_mux",
    version=2,
    request=MuxRequest,
    result=MuxResult,
    budget_ms=600_000,
    # With `burn` the picture is encoded: 1920 x 1080 took two cores 1.3 times the film's length, and
    # 3840 x 2160 has four times the points.
    budget_per_media=20.0,
    weight=4,
    # With `burn` ffmpeg takes more, and no number given to a call holds it back.
    cores=1,
    shown=True,
    options={"burn": "--burn"},
)
