"""Writes cover pictures as files: else ffmpeg copies one into an mkv as a video track of one frame."""

from __future__ import annotations

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


@dataclass(frozen=True, kw_only=True)
class Cover:
    """A picture in the scratch folder."""

    path: Path
    mime_type: str


def take_covers(film: Film, context: Context) -> tuple[Cover, ...]:
    """Write the film's cover pictures to the scratch folder, as `cover.png`, `cover1.jpg` ...

    Matroska's players look for these names (matroska.org, attachments).
    """
    covers: list[Cover] = []
    for stream in film.streams:
        if not stream.is_cover or stream.codec not in _KINDS:
            continue
        suffix, mime_type = _KINDS[stream.codec]
        with open_film(film.path) as container:
            picture = next((bytes(packet) for packet in container.demux(stream.index) if packet.size), b"")
        if picture:
            path = context.output(f"cover{len(covers) or ''}.{suffix}")
            path.write_bytes(picture)
            covers.append(Cover(path=path, mime_type=mime_type))
    return tuple(covers)
