"""Which language is spoken where, from votes that are played."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from protocol.timeline import Span
from workers.speech.stretches import LanguageVote, family_of, mixed, part, shares

EN = {"en": 0.98, "cy": 0.01}
FR = {"fr": 0.97, "en": 0.02}
MUSIC = {"en": 0.39, "nn": 0.26, "ko": 0.09, "fr": 0.05}
"""What whisper-base says of the end of film_en, in which nobody speaks."""
HALF = {"de": 0.9, "en": 0.09}
"""What whisper-base says of 15 s English before 15 s German."""


def votes(*heard: tuple[int, dict[str, float], float]) -> list[LanguageVote]:
    """Return votes: so many, what each says, seconds of speech in each."""
    found: list[LanguageVote] = []
    now = 0
    for number, chances, seconds in heard:
        for _ in range(number):
            end = now + round(seconds * 1000)
            found.append(LanguageVote(spans=(Span(start_ms=now, end_ms=end),), chances=chances))
            now = end + 500
    return found


def told(film: Sequence[LanguageVote], language: str = "en") -> list[tuple[str, int, int]]:
    return [(stretch.language, stretch.first, stretch.stop) for stretch in part(film, language)]


def test_two_halves_are_two_stretches_and_the_rest_of_a_film_in_one_language_is_none() -> None:
    assert told(votes((6, EN, 5), (6, FR, 5))) == [("en", 0, 6), ("fr", 6, 12)]
    assert told(votes((100, EN, 28))) == []
    assert told([]) == []


def test_one_clear_vote_of_a_whole_chunk_is_enough_in_a_short_film() -> None:
    assert told(votes((1, EN, 28), (1, FR, 28))) == [("en", 0, 1), ("fr", 1, 2)]
    assert told(votes((1, EN, 28), (1, FR, 12))) == [("en", 0, 1), ("fr", 1, 2)]
    assert told(votes((1, EN, 28), (1, FR, 9))) == []
    assert told(votes((1, EN, 28), (1, {"fr": 0.9}, 20))) == []


def test_shares_are_of_speech_and_the_most_comes_first() -> None:
    film = votes((4, EN, 5), (6, FR, 5))
    assert list(shares(film, part(film, "en")).items()) == [("fr", 30_000), ("en", 20_000)]


@pytest.mark.parametrize("seconds", [1, 4, 8, 14])
def test_one_foreign_sentence_amid_a_hundred_stretches_parts_nothing(seconds: float) -> None:
    assert told(votes((50, EN, 10), (1, FR, seconds), (50, EN, 10))) == []


def test_a_foreign_scene_of_a_long_film_is_a_stretch() -> None:
    film = votes((100, EN, 28), (2, FR, 20), (100, EN, 28))
    assert told(film) == [("en", 0, 100), ("fr", 100, 102), ("en", 102, 202)]


def test_what_parts_a_short_film_does_not_part_a_long_one() -> None:
    assert told(votes((4, EN, 5), (3, FR, 4))) == [("en", 0, 4), ("fr", 4, 7)]
    assert told(votes((100, EN, 20), (3, FR, 4), (100, EN, 20))) == []


def test_words_of_another_language_again_and_again_part_nothing() -> None:
    film = votes(*[(4, EN, 5), (1, FR, 3)] * 20)
    assert told(film) == []


def test_unsure_and_short_votes_go_with_their_neighbours() -> None:
    unsure = {"fr": 0.7, "en": 0.25}
    assert told(votes((20, unsure, 5), (5, EN, 5))) == []
    film = votes((5, EN, 5), (3, unsure, 5), (5, FR, 5))
    assert told(film) == [("en", 0, 5), ("fr", 5, 13)], "they find French likelier"
    film = votes((5, EN, 5), (1, {"en": 0.6, "fr": 0.3}, 5), (5, FR, 5))
    assert told(film) == [("en", 0, 6), ("fr", 6, 11)]
    assert told(votes((20, EN, 5), (9, FR, 1.5))) == []


def test_music_and_silence_part_nothing_and_do_not_hold_stretches_together() -> None:
    assert told(votes((5, EN, 5), (30, MUSIC, 28), (5, EN, 5))) == []
    assert told(votes((9, {}, 28), (5, EN, 5), (9, {}, 28))) == []
    assert told(votes((9, MUSIC, 28))) == []
    film = votes((5, EN, 10), (2, {}, 20), (2, MUSIC, 20), (5, FR, 10))
    assert [language for language, _, _ in told(film)] == ["en", "fr"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("hi", "ur"),
        ("no", "nn"),
        ("no", "da"),
        ("sr", "hr"),
        ("hr", "bs"),
        ("bg", "mk"),
        ("cs", "sk"),
        ("id", "ms"),
        ("es", "gl"),
        ("zh", "yue"),
        ("de", "lb"),
    ],
)
def test_near_relatives_do_not_disagree(one: str, other: str) -> None:
    film = votes((20, {one: 0.97}, 5), (20, {other: 0.97}, 5))
    assert told(film, one) == []
    assert told(film, other) == []


@pytest.mark.parametrize(
    ("one", "other"), [("hi", "en"), ("sv", "da"), ("ru", "uk"), ("pt", "es"), ("hi", "pa")]
)
def test_languages_that_are_no_near_relatives_disagree(one: str, other: str) -> None:
    assert family_of(one) != family_of(other)
    assert len(told(votes((9, {one: 0.97}, 5), (9, {other: 0.97}, 5)), one)) == 2


def test_relatives_vote_together_and_the_film_s_own_language_stands_for_them() -> None:
    either = {"hi": 0.45, "ur": 0.5}
    assert [name for name, _, _ in told(votes((5, either, 5), (5, EN, 5)), "hi")] == ["hi", "en"]
    assert [name for name, _, _ in told(votes((5, either, 5), (5, EN, 5)), "en")] == ["ur", "en"]


def test_three_languages_are_three_stretches_and_one_may_come_back() -> None:
    film = votes((5, EN, 5), (5, FR, 5), (5, {"hi": 0.9}, 5), (5, EN, 5))
    assert [name for name, _, _ in told(film)] == ["en", "fr", "hi", "en"]


def test_a_chunk_that_may_be_in_two_languages_is_asked_in_pieces() -> None:
    assert mixed(votes((3, EN, 28), (1, HALF, 28), (3, EN, 28))) == [3]
    assert mixed(votes((1, HALF, 28))) == [0]
    assert mixed(votes((1, {"en": 0.53, "de": 0.41}, 28))) == [0]


@pytest.mark.parametrize(
    "chances", [EN, FR, MUSIC, {}, {"hi": 0.956, "ur": 0.02, "en": 0.014}, {"hi": 0.6, "ur": 0.35}]
)
def test_a_chunk_in_one_language_or_in_none_is_not(chances: dict[str, float]) -> None:
    assert mixed(votes((9, chances, 28))) == []


def test_too_little_speech_to_part_the_film_is_not_asked_for() -> None:
    assert mixed(votes((3, EN, 28), (1, HALF, 9))) == []
    assert mixed(votes((100, EN, 28), (1, HALF, 28))) == []
    assert mixed(votes((100, EN, 28), (2, HALF, 28))) == [100, 101]


def test_a_stretch_keeps_every_vote_whatever_they_say() -> None:
    film = votes((3, EN, 5), (1, {}, 9), (4, FR, 5), (2, MUSIC, 9), (1, EN, 1), (3, FR, 5), (4, EN, 5))
    stretches = part(film, "en")
    assert stretches[0].first == 0
    assert stretches[-1].stop == len(film)
    assert [stretch.stop for stretch in stretches[:-1]] == [stretch.first for stretch in stretches[1:]]
