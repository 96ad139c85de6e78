from __future__ import annotations

import struct

from workers.engines.common.film.mp4_tracks import disable


def box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), kind) + body


def long_box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4sQ", 1, kind, 16 + len(body)) + body


def track(flags: int) -> bytes:
    return box(b"trak", box(b"edts", b"tkhd\xff") + box(b"tkhd", struct.pack(">I", flags) + b"\x07" * 80))


def flags_in(data: bytes) -> list[int]:
    heads = data.split(b"tkhd\x00")[1:]
    return [int.from_bytes(head[:3], "big") for head in heads]


def test_only_the_tracks_that_are_named_are_disabled(tmp_path):
    path = tmp_path / "film.mp4"
    for mdat in (box(b"mdat", b"moov trak" * 9), long_box(b"mdat", b"trak" * 9)):
        path.write_bytes(
            box(b"ftyp", b"isom") + mdat + box(b"moov", box(b"mvhd", b"") + track(3) * 3) + b"\0\0"
        )
        size = path.stat().st_size
        disable(path, (1, 2, 7))
        assert flags_in(path.read_bytes()) == [3, 2, 2]
        assert path.stat().st_size == size


def test_a_box_that_reaches_to_the_end_is_read(tmp_path):
    path = tmp_path / "film.mp4"
    moov = box(b"moov", track(3))
    path.write_bytes(struct.pack(">I4s", 0, b"moov") + moov[8:])
    disable(path, (0,))
    assert flags_in(path.read_bytes()) == [2]


def test_a_file_that_is_no_mp4_is_left_as_it_is(tmp_path):
    path = tmp_path / "film.mp4"
    for data in (b"", b"\0\0\0\4moov", b"no mp4 at all, that is", struct.pack(">I4s", 7, b"moov") + track(3)):
        path.write_bytes(data)
        disable(path, (0,))
        assert path.read_bytes() == data
