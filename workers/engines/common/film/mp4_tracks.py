"""Lets an mp4 show no subtitle track from the start, which ffmpeg's muxer cannot do.

The muxer enables the first track of each kind if none is `default` (movenc.c, `enable_tracks`), and players
show an enabled one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["disable"]

_HEAD_BYTES = 8
_ENABLED = 1
_FLAGS_AT = 3
"""The last byte of a box's version and flags (ISO/IEC 14496-12, 4.2)."""


def disable(path: Path, places: Collection[int]) -> None:
    """Clear `track_enabled` (ISO/IEC 14496-12, 8.3.2) in the file itself; `places` of tracks count from 0."""
    with path.open("r+b") as file:
        for moov in _boxes(file, b"moov", 0, path.stat().st_size):
            for place, trak in enumerate(_boxes(file, b"trak", *moov)):
                for start, _ in _boxes(file, b"tkhd", *trak) if place in places else ():
                    file.seek(start + _FLAGS_AT)
                    flags = file.read(1)[0]
                    file.seek(start + _FLAGS_AT)
                    file.write(bytes([flags & ~_ENABLED]))


def _boxes(file: BinaryIO, wanted: bytes, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield where the contents of each box `wanted` start and end, among those between `start` and `end`."""
    while start + _HEAD_BYTES <= end:
        file.seek(start)
        size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
        contents = start + _HEAD_BYTES
        if size == 1:
            size = int.from_bytes(file.read(8), "big")
            contents += 8
        size = size or end - start
        if size < contents - start:
            return
        if kind == wanted:
            yield contents, start + size
        start += size
