"""Languages of Matroska's tracks as BCP 47 has them (`pt-BR`): ffmpeg neither reads nor writes them.

A track may have two: `Language`, a code of three letters, and `LanguageBCP47`, which counts where it is there
(RFC 9559, 5.1.4.1.19 and 20). To write the second, ffmpeg is given the first with as many letters behind it
as the second needs, and these bytes are then made into it.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

__all__ = ["read_tags", "with_room", "write_tags"]

_SEGMENT = b"\x18\x53\x80\x67"
_TRACKS = b"\x16\x54\xae\x6b"
_CLUSTER = b"\x1f\x43\xb6\x75"
_ENTRY = b"\xae"
_TYPE = b"\x83"
_LANGUAGE = b"\x22\xb5\x9c"
_TAG = b"\x22\xb5\x9d"
_CRC = b"\xbf"
_KINDS = {1: "video", 2: "audio", 0x11: "subtitle"}
_ROOM = "~"
_TAG_HEAD_BYTES = 4
"""Three bytes of the element's name, and one of its size."""
_MOST_TAG_BYTES = 100
_MOST_TRACKS_BYTES = 16 * 2**20


@dataclass(frozen=True, kw_only=True)
class _Element:
    """An EBML element: its name, where it starts, and where its contents start and end."""

    name: bytes
    begin: int
    start: int
    end: int


def read_tags(path: Path) -> tuple[tuple[str, str], ...]:
    """Return kind (video, audio, subtitle) and BCP 47 tag of each track, in the file's order.

    The tag is empty where the file has none. () where the file is no Matroska file that can be read so far.
    """
    with path.open("rb") as file:
        found = _tracks(file)
        return tuple(_described(found[1])) if found is not None else ()


def with_room(code: str, tag: str) -> str:
    """Return the code of three letters with room for the tag: `write_tags` makes both of it."""
    wanted = tag.encode("ascii", "ignore")[:_MOST_TAG_BYTES].decode()
    return f"{code}{_ROOM * _TAG_HEAD_BYTES}{wanted}" if wanted else code


def write_tags(path: Path) -> None:
    """Write the tags for which `with_room` made room into the file itself."""
    with path.open("r+b") as file:
        found = _tracks(file)
        if found is None:
            return
        place, data = found
        mended = bytearray(data)
        for entry in _elements(data, 0, len(data)):
            for element in _elements(data, entry.start, entry.end) if entry.name == _ENTRY else ():
                if element.name == _LANGUAGE:
                    mended[element.begin : element.end] = _both(data[element.begin : element.end])
        first = next(_elements(data, 0, len(data)), None)
        if first is not None and first.name == _CRC:
            # The checksum of all that follows it in its element (RFC 8794, 11.3.1).
            mended[first.start : first.end] = zlib.crc32(mended[first.end :]).to_bytes(4, "little")
        if mended != data:
            file.seek(place)
            file.write(mended)


def _both(language: bytes) -> bytes:
    """Return the bytes of a `Language` with room as those of a `Language` and a `LanguageBCP47`."""
    head = len(_LANGUAGE) + 1
    code, room, tag = language[head:].partition(_ROOM.encode() * _TAG_HEAD_BYTES)
    if not room:
        return language
    return b"".join((_LANGUAGE, bytes([0x80 | len(code)]), code, _TAG, bytes([0x80 | len(tag)]), tag))


def _described(tracks: bytes) -> Iterator[tuple[str, str]]:
    for entry in _elements(tracks, 0, len(tracks)):
        if entry.name != _ENTRY:
            continue
        inner = _elements(tracks, entry.start, entry.end)
        parts = {part.name: tracks[part.start : part.end] for part in inner}
        if (kind := _KINDS.get(int.from_bytes(parts.get(_TYPE, b""), "big"))) is not None:
            yield kind, parts.get(_TAG, b"").rstrip(b"\0").decode("ascii", "replace")


def _tracks(file: BinaryIO) -> tuple[int, bytes] | None:
    """Return where the contents of `Tracks` start, and these; None where there are none before the film's."""
    size = file.seek(0, 2)
    segment = next((found for found in _elements_of(file, 0, size) if found.name == _SEGMENT), None)
    for element in _elements_of(file, segment.start, segment.end) if segment is not None else ():
        if element.name == _CLUSTER:
            return None
        if element.name == _TRACKS and element.end - element.start <= _MOST_TRACKS_BYTES:
            file.seek(element.start)
            return element.start, file.read(element.end - element.start)
    return None


def _elements(data: bytes, begin: int, end: int) -> Iterator[_Element]:
    while (found := _element(data[begin : begin + 12], begin, end)) is not None:
        yield found
        begin = found.end


def _elements_of(file: BinaryIO, begin: int, end: int) -> Iterator[_Element]:
    while begin < end:
        file.seek(begin)
        if (found := _element(file.read(12), begin, end)) is None:
            return
        yield found
        begin = found.end


def _element(head: bytes, begin: int, limit: int) -> _Element | None:
    """Read an element's name and size from its first bytes (RFC 8794, 4 and 5); None at the end."""
    if len(head) < 2 or not head[0] or begin >= limit:
        return None
    name_bytes = 9 - head[0].bit_length()
    if len(head) <= name_bytes or not head[name_bytes]:
        return None
    size_bytes = 9 - head[name_bytes].bit_length()
    written = head[name_bytes : name_bytes + size_bytes]
    if len(written) < size_bytes:
        return None
    size = int.from_bytes(written, "big") - (1 << 7 * size_bytes)
    start = begin + name_bytes + size_bytes
    # A size of ones only is one that was not known when it was written.
    end = limit if size == (1 << 7 * size_bytes) - 1 else min(limit, start + size)
    return _Element(name=head[:name_bytes], begin=begin, start=start, end=end)
