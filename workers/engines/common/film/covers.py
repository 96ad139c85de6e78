"""Writes cover pictures as files: else ffmpeg copies one into an mkv as a video track of one frame."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.engine import Context
from workers.engines.common.film.probe import Film, open_film

__all__ = ["Cover", "take_covers"]

_KINDS = {
    "png": ("png", "image/png"),
    "mjpeg": ("jpg", "image/jpeg"),
    "bmp": ("bmp", "image/bmp"),
    "gif": ("gif", "image/gif"),
    "webp": ("webp", "image/webp"),
}
"""File suffix and media type by ffmpeg's name of the codec; players know no other pictures as covers."""


_NAMES = ("cover", "small_cover", "cover_land", "small_cover_land")
"""The picture of an album or film: upright or lying, large or small (RFC 9559, 21.2)."""


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A picture in the scratch folder."""

    path: Path
    mime_type: str


def take_covers(film: Film, context: Context) -> tuple[Cover, ...]:
    """Write the film's cover pictures to the scratch folder, by names that Matroska's players look for.

    A picture keeps the name it has if that is one of these; else it is `cover.png`, `cover1.jpg` ...
    """
    covers: list[Cover] = []
    for stream in film.streams:
        if not stream.is_cover or stream.codec not in _KINDS:
            continue
        suffix, mime_type = _KINDS[stream.codec]
        with open_film(film.path) as container:
            picture = next((bytes(packet) for packet in container.demux(stream.index) if packet.size), b"")
        if picture:
            path = context.output(_name(stream.file_name, [cover.path.name for cover in covers], suffix))
            path.write_bytes(picture)
            covers.append(Cover(path=path, mime_type=mime_type))
    return tuple(covers)


def _name(own: str, taken: Sequence[str], suffix: str) -> str:
    if own.rpartition(".")[0] in _NAMES and own.endswith(f".{suffix}") and own not in taken:
        return own
    return next(
        name
        for number in itertools.count()
        if (name := f"cover{number or ''}.{suffix}") and name not in taken
    )
