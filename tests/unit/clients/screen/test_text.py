from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clients.screen import text as text
from clients.screen.table import Column, Table, fits, lay_out, plain


def test_control_characters_are_made_visible():
    assert text.visible("a\nb\x1b[31m\u202e\udce9\x9b") == "a\\nb\\x1b[31m\\u202e\\xe9\\x9b"


def test_joiners_that_shape_indic_words_are_kept():
    assert text.visible("क्\u200dष") == "क्\u200dष"


@given(st.text())
def test_whatever_is_shown_cannot_steer_a_terminal(anything):
    shown = text.visible(anything)
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in shown)
    shown.encode()


@given(st.text(), st.integers(0, 40))
def test_what_is_shortened_fits(anything, limit):
    assert text.width(text.shorten(anything, limit)) <= limit


def test_a_long_name_is_shortened_in_the_middle_and_keeps_its_end():
    short = text.shorten("A very long name of a film - part 1.mkv", 20)
    assert short == "A very long …t 1.mkv"


def test_a_conjunct_is_not_torn():
    for limit in range(1, 12):
        head, _, tail = text.shorten("क्षत्रिय-क्षत्रिय", limit).partition("…")
        assert not head.endswith("्")
        assert not tail.startswith(("्", "ि"))


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [(None, ""), (0, "0.0 s"), (3_240, "3.2 s"), (59_960, "1:00"), (65_000, "1:05"), (3_723_000, "1:02:03")],
)
def test_durations(milliseconds, words):
    assert text.duration(milliseconds) == words


@pytest.mark.parametrize(
    ("fraction", "words"), [(0, "0%"), (0.999, "99%"), (1, "100%"), (1.2, "100%"), (0.29, "29%")]
)
def test_all_is_shown_only_when_it_is_all(fraction, words):
    assert text.percent(fraction) == words


def test_ages_have_one_unit():
    assert [text.age(age_s) for age_s in (-3, 59, 60, 7200, 200_000)] == [
        "0 s",
        "59 s",
        "1 min",
        "2 h",
        "2 d",
    ]


def test_since_shows_the_day_when_it_was_another():
    assert text.since(86_400 * 5 + 3_600, 60_000, dt.UTC) == "00:59:00"
    assert text.since(86_400 * 5 + 3_600, 7_200_000, dt.UTC) == "05 Jan 23:00"


def test_films_of_one_name_carry_their_folder():
    assert text.film_labels(["/a/x.mkv", "/b/x.mkv", "/b/y.mkv"]) == ["a/x.mkv", "b/x.mkv", "y.mkv"]


def test_a_film_that_is_named_twice_needs_no_folder():
    assert text.film_labels(["/a/x.mkv", "/a/x.mkv"]) == ["x.mkv", "x.mkv"]


TABLE = Table(
    columns=(Column(title="job"), Column(title="age", drop=1), Column(title="film", least=6)),
    rows=(("job-1", "2 h", "A long name of a film.mkv"), ("job-2", "", "日本の映画.mkv")),
)


def test_without_a_screen_a_table_is_as_wide_as_it_gets():
    assert [plain(line) for line in lay_out(TABLE, None)] == [
        "job    age  film",
        "job-1  2 h  A long name of a film.mkv",
        "job-2       日本の映画.mkv",
    ]


@given(st.integers(14, 60))
def test_a_table_never_outgrows_the_screen(limit):
    lines = lay_out(TABLE, limit)
    assert all(text.width(plain(line)) <= limit for line in lines)


def test_a_narrow_screen_loses_the_least_wanted_column_first():
    assert plain(lay_out(TABLE, 14)[0]) == "job    film"
    assert not fits(TABLE, 20)
    assert fits(TABLE, 40)


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (-5, "10 s"),
        (0, "10 s"),
        (14_000, "10 s"),
        (36_000, "40 s"),
        (54_900, "50 s"),
        (55_000, "1 min"),
        (80_000, "1.5 min"),
        (175_000, "3 min"),
        (570_000, "9.5 min"),
        (590_000, "10 min"),
        (1_500_000, "25 min"),
        (3_560_000, "59 min"),
        (3_570_000, "1 h"),
        (7_900_000, "2 h 10 min"),
        (35_900_000, "10 h"),
        (50_000_000, "14 h"),
    ],
)
def test_a_time_to_come_is_told_as_a_person_says_it(milliseconds, words):
    assert text.rough(milliseconds) == words
