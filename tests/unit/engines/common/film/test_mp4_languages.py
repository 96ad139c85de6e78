from __future__ import annotations

from tests.unit.engines.common.film.test_mp4_tracks import box
from workers.engines.common.film.mp4_languages import read_extended, write_extended


def track(name: bytes) -> bytes:
    return box(b"trak", box(b"tkhd", name) + box(b"mdia", box(b"mdhd", b"\x55" * 24) + box(b"hdlr", name)))


def test_a_tag_is_written_beside_the_three_letters_and_nothing_else_moves(tmp_path):
    path = tmp_path / "film.mp4"
    before = box(b"ftyp", b"isom") + box(b"mdat", b"moov" * 20)
    path.write_bytes(
        before + box(b"moov", box(b"mvhd", b"1") + track(b"a") + track(b"b") + box(b"udta", b"u"))
    )
    write_extended(path, {1: "hi-Latn"})
    assert path.read_bytes()[: len(before)] == before
    assert read_extended(path) == ("", "hi-Latn")
    tagged = box(b"mdhd", b"\x55" * 24) + box(b"elng", b"\0\0\0\0hi-Latn\0") + box(b"hdlr", b"b")
    assert path.read_bytes().endswith(
        box(b"trak", box(b"tkhd", b"b") + box(b"mdia", tagged)) + box(b"udta", b"u")
    )


def test_a_film_whose_index_comes_first_stays_as_it_is(tmp_path):
    path = tmp_path / "film.mp4"
    content = box(b"ftyp", b"isom") + box(b"moov", track(b"a")) + box(b"mdat", b"x")
    path.write_bytes(content)
    write_extended(path, {0: "hi-Latn"})
    assert path.read_bytes() == content
