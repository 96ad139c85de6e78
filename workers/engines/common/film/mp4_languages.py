"""Languages of an mp4's tracks as BCP 47 has them (`hi-Latn`): ffmpeg writes three letters and no more.

A track's `mdia` box may hold an `elng` box (ISO/IEC 14496-12, 8.4.6), which counts where it is there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

__all__ = ["read_extended", "write_extended"]

_HEAD_BYTES = 8
_VERSION_AND_FLAGS = bytes(4)


def write_extended(path: Path, tags: Mapping[int, str]) -> None:
    """Write the tags of tracks, by their places from 0, into the file itself.

    Only where `moov` is the last box, as ffmpeg leaves it: nothing behind it moves.
    """
    data, start = _last_box(path)
    if not tags or data[4:8] != b"moov":
        return
    traks, found = -1, bytearray()
    for box in _boxes(data[_HEAD_BYTES:]):
        traks += box[4:8] == b"trak"
        is_wanted = box[4:8] == b"trak" and traks in tags
        found += _with_tag(box, tags[traks]) if is_wanted else box
    with path.open("r+b") as file:
        file.seek(start)
        file.write(_box(b"moov", bytes(found)))


def read_extended(path: Path) -> tuple[str, ...]:
    """Return the tag of each track, empty where it has none."""
    data, _ = _last_box(path)
    traks = [box for box in _boxes(data[_HEAD_BYTES:]) if box[4:8] == b"trak"]
    return tuple(_tag_of(trak) for trak in traks)


def _tag_of(trak: bytes) -> str:
    for mdia in _boxes(trak[_HEAD_BYTES:]):
        for box in _boxes(mdia[_HEAD_BYTES:]) if mdia[4:8] == b"mdia" else ():
            if box[4:8] == b"elng":
                return box[_HEAD_BYTES + 4 :].rstrip(b"\0").decode("ascii", "replace")
    return ""


def _with_tag(trak: bytes, tag: str) -> bytes:
    language = _box(b"elng", _VERSION_AND_FLAGS + tag.encode("ascii") + b"\0")
    parts = []
    for part in _boxes(trak[_HEAD_BYTES:]):
        if part[4:8] == b"mdia":
            # The header comes first, and says the language in three letters.
            inner = [box + language if box[4:8] == b"mdhd" else box for box in _boxes(part[_HEAD_BYTES:])]
            parts.append(_box(b"mdia", b"".join(inner)))
        else:
            parts.append(part)
    return _box(b"trak", b"".join(parts))


def _box(kind: bytes, contents: bytes) -> bytes:
    return (len(contents) + _HEAD_BYTES).to_bytes(4, "big") + kind + contents


def _last_box(path: Path) -> tuple[bytes, int]:
    """Return the last box of the file, where it is `moov`, and where it starts."""
    end = path.stat().st_size
    with path.open("rb") as file:
        start = 0
        while start + _HEAD_BYTES <= end:
            file.seek(start)
            size, kind = int.from_bytes(file.read(4), "big"), file.read(4)
            if size == 1:
                size = int.from_bytes(file.read(8), "big")
            size = size or end - start
            if start + size >= end:
                file.seek(start)
                return (file.read() if kind == b"moov" else b""), start
            if size < _HEAD_BYTES:
                break
            start += size
    return b"", end


def _boxes(data: bytes) -> Iterator[bytes]:
    """Yield the boxes, whole; what is left over at the end is yielded as it is."""
    start = 0
    while start < len(data):
        size = int.from_bytes(data[start : start + 4], "big")
        if not _HEAD_BYTES <= size <= len(data) - start:
            size = len(data) - start
        yield data[start : start + size]
        start += size
