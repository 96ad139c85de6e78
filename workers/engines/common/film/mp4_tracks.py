"""Says of an mp4's subtitle tracks what ffmpeg's muxer cannot: that none is shown, that one is forced.

The muxer enables the first track of each kind if none is `default` (movenc.c, `enable_tracks`), and players
show an enabled one. It writes `forced` nowhere.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO

__all__ = ["disable", "force"]

_HEAD_BYTES = 8
_ENABLED = 1
_FLAGS_AT = 3
"""The last byte of a box's version and flags (ISO/IEC 14496-12, 4.2)."""
_ENTRIES_AT = 8
"""In `stsd`, after version, flags and the number of entries (ISO/IEC 14496-12, 8.5.2)."""
_DISPLAY_FLAGS_AT = 8
"""In `tx3g`, after the fields of every sample entry (3GPP TS 26.245, 5.16)."""
_ALL_FORCED = 0xC0000000
"""All samples are forced, and so some are (QuickTime File Format, "Subtitle sample description")."""


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


def force(path: Path, places: Collection[int]) -> None:
    """Say in the file itself that every cue of these text tracks is forced; `places` count from 0."""
    with path.open("r+b") as file:
        for moov in _boxes(file, b"moov", 0, path.stat().st_size):
            for place, trak in enumerate(_boxes(file, b"trak", *moov)):
                for start in _text_entries(file, trak) if place in places else ():
                    file.seek(start + _DISPLAY_FLAGS_AT)
                    flags = int.from_bytes(file.read(4), "big")
                    file.seek(start + _DISPLAY_FLAGS_AT)
                    file.write((flags | _ALL_FORCED).to_bytes(4, "big"))


def _text_entries(file: BinaryIO, trak: tuple[int, int]) -> Iterator[int]:
    """Yield where the contents of each `tx3g` sample entry of a track start."""
    found = [trak]
    for kind in (b"mdia", b"minf", b"stbl", b"stsd"):
        found = [inner for outer in found for inner in _boxes(file, kind, *outer)]
    for start, end in found:
        for entry, _ in _boxes(file, b"tx3g", start + _ENTRIES_AT, end):
            yield entry


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
