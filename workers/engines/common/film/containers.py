"""The containers that mux writes, and what each can hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from workers.engines.common.film.probe import Film, Stream

__all__ = ["MATROSKA", "MP4", "Target", "choose_targets", "copied_streams"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """A container to write, and its rules for text subtitles."""

    suffix: str
    format: str
    new_text: str
    """The codec of the tracks that are added; `copy` keeps SubRip as it is."""
    converted: tuple[tuple[str, str], ...] = ()
    """Codecs of the film's own subtitles that it cannot hold, and what they become."""
    refused: frozenset[str] = frozenset()
    """Codecs of the film's own subtitles that it cannot hold in any form."""
    attaches_covers: bool = False
    """Whether a cover picture is an attached file rather than a stream."""
    bibliographic: bool = False
    """Whether languages are written in ISO 639-2/B and not /T."""
    options: tuple[tuple[str, str], ...] = ()
    """More options of ffmpeg's muxer."""


MP4 = Target(
    suffix="mp4",
    format="mp4",
    new_text="mov_text",
    # Else the record of Dolby Vision is left out, and those of spherical and of stereoscopic pictures.
    options=(("strict", "unofficial"),),
)
MATROSKA = Target(
    suffix="mkv",
    format="matroska",
    new_text="copy",
    converted=(("mov_text", "srt"),),
    refused=frozenset({"dvb_teletext", "eia_608", "xsub"}),
    attaches_covers=True,
    bibliographic=True,
)

_COPIED_KINDS = frozenset({"video", "audio", "subtitle", "attachment"})
"""Timecode and other data streams are left out: no muxer copies them, and mp4's writes its own."""


def choose_targets(film: Film) -> tuple[Target, ...]:
    """Return the containers to try, best first."""
    return (MP4, MATROSKA) if film.is_mp4 else (MATROSKA,)


def copied_streams(film: Film, target: Target, left_out: Collection[Stream] = ()) -> tuple[Stream, ...]:
    """Return the film's streams that are kept, in the film's order, without those that are `left_out`."""
    return tuple(
        stream
        for stream in film.streams
        if stream.kind in _COPIED_KINDS
        and stream.codec not in target.refused
        and stream not in left_out
        and not (stream.is_cover and target.attaches_covers)
    )
