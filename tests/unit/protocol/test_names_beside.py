"""Names of subtitle files beside a film."""

from __future__ import annotations

from pathlib import PurePath

import pytest

from protocol.subtitles.names import BesideName, name_beside, read_name

FILM = PurePath("/films/My.Film (2020).mkv")


@pytest.mark.parametrize(
    ("language", "forced", "name"),
    [
        ("en", False, "My.Film (2020).en.srt"),
        ("hi", False, "My.Film (2020).hi.srt"),
        ("en", True, "My.Film (2020).en.forced.srt"),
        ("und", False, "My.Film (2020).srt"),
    ],
)
def test_a_name_is_what_players_look_for(language: str, forced: bool, name: str) -> None:
    assert name_beside(FILM, language, ".srt", forced=forced) == name
    assert read_name(FILM, PurePath(name)) == BesideName(language=language, forced=forced)


@pytest.mark.parametrize(
    ("words", "language", "forced", "impaired"),
    [
        ("", "und", False, False),
        (".en", "en", False, False),
        (".eng", "en", False, False),
        (".English", "en", False, False),
        (".pt-BR", "pt", False, False),
        (".hi-Latn", "hi-Latn", False, False),
        (".sr-Latn", "sr", False, False),
        (".zh_CN", "zh", False, False),
        (".hi", "hi", False, False),
        (".en.hi", "en", False, True),
        (".hi.sdh", "hi", False, True),
        (".sdh.hi", "hi", False, True),
        (".en.cc", "en", False, True),
        (".forced.en", "en", True, False),
        (".en.default", "en", False, False),
        (".commentary", "und", False, False),
    ],
)
def test_words_of_a_name_are_read_as_players_read_them(
    words: str, language: str, forced: bool, impaired: bool
) -> None:
    found = read_name(FILM, PurePath(f"My.Film (2020){words}.srt"))
    assert found == BesideName(language=language, forced=forced, hearing_impaired=impaired)


@pytest.mark.parametrize("name", ["My.Film (2020).mkv", "My.Film (2020) 2.en.srt", "Other.en.srt", "My.srt"])
def test_a_file_of_another_film_is_no_subtitle_of_this_one(name: str) -> None:
    assert read_name(FILM, PurePath(name)) is None
