from __future__ import annotations

import struct

from workers.engines.common.film.mp4_tracks import disable, force


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


def text_track(flags: int, kind: bytes = b"tx3g") -> bytes:
    entry = box(kind, b"\0" * 6 + struct.pack(">HI", 1, flags) + b"style and font")
    stsd = box(b"stsd", struct.pack(">II", 0, 1) + entry)
    tables = box(b"stbl", stsd + box(b"stts", b"tx3g\0\0\0\0"))
    return box(b"trak", box(b"mdia", box(b"mdhd", b"") + box(b"minf", box(b"nmhd", b"") + tables)))


def display_flags_in(data: bytes) -> list[int]:
    entries = data.split(b"tx3g" + b"\0" * 6 + b"\0\1")[1:]
    return [int.from_bytes(entry[:4], "big") for entry in entries]


def test_every_cue_of_the_tracks_that_are_named_is_forced(tmp_path):
    path = tmp_path / "film.mp4"
    tracks = text_track(0) + text_track(0x20000000) + text_track(0) + text_track(0, b"avc1")
    path.write_bytes(box(b"ftyp", b"isom") + box(b"moov", box(b"mvhd", b"") + tracks))
    size = path.stat().st_size
    force(path, (1, 2, 3, 9))
    # 0x20000000 is another flag, the place of the text, and stays.
    assert display_flags_in(path.read_bytes()) == [0, 0xE0000000, 0xC0000000]
    assert path.stat().st_size == size


def test_a_file_that_is_no_mp4_is_not_forced(tmp_path):
    path = tmp_path / "film.mp4"
    for data in (b"", b"\0\0\0\4moov", b"no mp4 at all, that is"):
        path.write_bytes(data)
        force(path, (0,))
        assert path.read_bytes() == data
