"""Names of fetched films, and which are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from protocol.errors import InputError, UsageError
from workers.engines.ytdlp.files import check_content, film_key, find_film, held, stem_of


def known(site: str, name: str, address: str = "https://films.example/watch") -> dict[str, str]:
    return {"extractor_key": site, "id": name, "webpage_url": address}


def test_a_site_and_its_name_of_the_film_are_the_key() -> None:
    assert film_key(known("Youtube", "dQw4w9WgXcQ")) == "youtube-dQw4w9WgXcQ"


@pytest.mark.parametrize("site", ["Generic", "HTML5MediaEmbed", "html5"])
def test_films_that_are_named_by_their_files_are_told_apart_by_their_addresses(site: str) -> None:
    one = film_key(known(site, "film", "https://a.example/film.mp4"))
    other = film_key(known(site, "film", "https://b.example/film.mp4"))
    third = film_key(known(site, "film", "https://a.example/two/film.mp4"))
    assert len({one, other, third}) == 3
    assert one.startswith("a.example-")
    assert one == film_key(known(site, "film", "https://a.example/film.mp4"))


@pytest.mark.parametrize("name", ["a/b", "../../x", "x" * 200, "a b", "नाम", "a]b", "\0"])
def test_a_strange_name_becomes_one_that_a_file_can_have(name: str) -> None:
    key = film_key(known("Site", name))
    assert Path(key).name == key
    assert len(key.encode()) < 80
    assert key != film_key(known("Site", name + "2"))


@pytest.mark.parametrize(
    ("title", "stem"),
    [
        ("Sholay", "Sholay [k]"),
        ("a/b\\c: d?", "a b c d [k]"),
        ("../../etc/passwd", "etc passwd [k]"),
        ("-rf", "rf [k]"),
        ("", "film [k]"),
        ("...", "film [k]"),
        ("शोले", "शोले [k]"),
        ("a\nb\x1b[31m", "a b 31m [k]"),
        ("bad \udcff", "bad [k]"),
    ],
)
def test_a_title_becomes_a_files_name(title: str, stem: str) -> None:
    assert stem_of(title, "k") == stem


def test_a_long_title_is_cut_between_characters() -> None:
    stem = stem_of("क" * 300, "k")
    assert len(stem.encode()) < 200
    assert stem == "क" * 40 + " [k]"


def test_a_whole_film_is_found_under_another_title_and_pieces_are_not(tmp_path: Path) -> None:
    for name in ("A [k].mp4.part", "A [k].f137.mp4", "A [k].temp.mp4", "A [k].mp4.ytdl", "B [k2].mp4"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "Empty [k].mp4").touch()
    (tmp_path / "Folder [k].mp4x").mkdir()
    assert find_film(tmp_path, "k") is None
    (tmp_path / "Old title [k].webm").write_bytes(b"x")
    assert find_film(tmp_path, "k") == tmp_path / "Old title [k].webm"
    assert find_film(tmp_path / "none", "k") is None


def test_a_film_is_fetched_by_one_command_at_a_time(tmp_path: Path) -> None:
    with held(tmp_path, "k"), pytest.raises(UsageError, match="Another command"), held(tmp_path, "k"):
        pass
    with held(tmp_path, "k"):
        pass
    assert list(tmp_path.iterdir()) == []


PAGES = [b"<!DOCTYPE html>", b" <HTML>", b"<?xml version='1.0'?><MPD>"]


@pytest.mark.parametrize(
    "body",
    [
        *PAGES,
        b"",
        b"#EXTM3U\nfile:///etc/passwd",
        b"\xef\xbb\xbf#EXTM3U",
        b"\n\nffconcat version 1.0",
        b"v=0\r\n",
    ],
)
def test_lists_and_pages_under_a_films_name_are_removed(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "A [k].mp4"
    path.write_bytes(body)
    with pytest.raises(InputError, match=r"films\.example"):
        check_content(path, "https://films.example/a.mp4")
    assert not path.exists()


@pytest.mark.parametrize("body", [b"\0\0\0 ftypisom", b"\x1aE\xdf\xa3", b"ID3\x03", b"RIFF....WAVE", b"G@\0"])
def test_films_stay(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "A [k].mp4"
    path.write_bytes(body * 10)
    check_content(path, "https://films.example/a.mp4")
    assert path.exists()
