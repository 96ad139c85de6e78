# ruff: noqa: RUF001 - the scripts are the subject.
"""Translated words laid over the time of their sentence."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.timeline import Word
from workers.text.pieces import clean, pieces_of
from workers.text.sentences import Sentence
from workers.text.spreading import spread
from workers.text.writing import join


def said(*spans: tuple[int, int]) -> Sentence:
    words = tuple(Word(text="x", start_ms=start, end_ms=end) for start, end in spans)
    return Sentence(text=" ".join("x" for _ in spans), words=words)


def times(words: tuple[Word, ...]) -> list[tuple[str, int, int]]:
    return [(word.text, word.start_ms, word.end_ms) for word in words]


def test_words_share_the_speaking_time_by_their_length() -> None:
    found = spread("um quatro", said((1000, 2000), (2100, 5000)), "pt")
    assert times(found) == [("um", 1000, 2000), ("quatro", 2000, 5000)]
    assert {word.timed_by for word in found} == {"interpolated"}


def test_no_word_is_shown_in_a_pause() -> None:
    found = spread("um dois três cinco", said((0, 1000), (4000, 5000)), "pt")
    assert times(found) == [("um", 0, 333), ("dois", 333, 1000), ("três", 4000, 4444), ("cinco", 4444, 5000)]


def test_a_short_gap_between_two_words_is_speaking_time() -> None:
    found = spread("um dois", said((0, 1000), (1300, 2300)), "pt")
    assert times(found) == [("um", 0, 766), ("dois", 766, 2300)]


@pytest.mark.parametrize(("first_ms", "goes"), [(1000, 0), (500, 5000)])
def test_a_word_over_a_pause_goes_where_its_greater_part_lies(first_ms: int, goes: int) -> None:
    # The middle word of three lies from a third to two thirds of what is spoken.
    sentence = said((0, first_ms), (5000, 5000 + 1600 - first_ms))
    found = spread("aaaa bbbb cccc", sentence, "pt")
    assert found[1].text == "bbbb"
    assert (found[1].start_ms >= 5000) is (goes == 5000)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("que pode fazer por si, perguntem o que podem fazer", "que pode fazer por si,"),
        ("que pode fazer por vós, o que podem fazer ali", "que pode fazer por vós,"),
        ("que, pode fazer por vossas mercês ali, podem fazer", "que, pode fazer por vossas"),
        ("que pode fazer por vossas mercês todas elas, sim", "que pode fazer por vossas"),
        ("你可以做什么，问你可以做什么", "你可以做什么，"),
        ("आपका देश क्या कर सकता है, पूछिए कि आप क्या करें", "आपका देश क्या कर सकता है,"),
    ],
)
def test_a_pause_is_put_where_a_clause_ends_nearby(text: str, left: str) -> None:
    language = "zh" if "你" in text else "pt"
    found = spread(text, said((0, 2000), (3000, 5000)), language)
    assert join([word.text for word in found if word.end_ms <= 2000], language) == left
    assert join([word.text for word in found], language) == text


def test_more_words_than_milliseconds_are_shown_together() -> None:
    found = spread("a b c d e", said((10, 12)), "pt")
    assert times(found) == [("a b c", 10, 11), ("d e", 11, 12)]


def test_a_sentence_without_length_shows_its_text_for_a_millisecond() -> None:
    assert times(spread("a b", said((10, 10)), "pt")) == [("a b", 10, 11)]


def test_no_text_gives_no_word() -> None:
    assert spread("  ", said((0, 1000)), "pt") == ()


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("你好，world。", "zh", ["你", "好，", "world。"]),
        ("「はい」と YouTube Music で", "ja", ["「は", "い」", "と YouTube", "Music で"]),
        ("ดี ครับ", "th", ["ดี ค", "รั", "บ"]),
        ("เธอ", "th", ["เธ", "อ"]),
        ("ខ្ញុំ", "km", ["ខ្ញុំ"]),
        ("हिन्दी  में\nहै।", "hi", ["हिन्दी", "में", "है।"]),
    ],
)
def test_pieces_are_words_or_whole_graphemes(text: str, language: str, expected: list[str]) -> None:
    assert pieces_of(text, language) == expected


SPANS = st.lists(st.tuples(st.integers(0, 3000), st.integers(0, 2000)), min_size=1, max_size=12)
TEXTS = st.one_of(
    st.text("ab cé,.!? ", max_size=60),
    st.text("नमस्ते हिन्दी। ", max_size=60),
    st.text("一二、。「」 ab1", max_size=60),
    st.text("เกำดี ្ក\u200dខ", max_size=60),
    st.text(max_size=30),
)


@settings(deadline=None)
@given(TEXTS, SPANS, st.sampled_from(["pt", "hi", "ur", "zh", "ja", "th", "lo", "my", "km"]))
def test_words_are_the_text_in_order_inside_the_sentence(
    text: str, gaps: list[tuple[int, int]], language: str
) -> None:
    spans, now = [], 0
    for gap, length in gaps:
        spans.append((now + gap, now + gap + length))
        now = spans[-1][1]
    sentence = said(*spans)
    found = spread(text, sentence, language)
    assert join([word.text for word in found], language) == clean(text)
    assert all(word.start_ms < word.end_ms for word in found)
    assert all(one.end_ms <= two.start_ms for one, two in pairwise(found))
    assert all(sentence.start_ms <= word.start_ms and word.end_ms <= sentence.end_ms for word in found)
    pauses = [
        (one.end_ms + two.start_ms) // 2
        for one, two in pairwise(sentence.words)
        if two.start_ms - one.end_ms > 300
    ]
    if any(begin < end for begin, end in spans):
        assert not any(word.start_ms < pause < word.end_ms for word in found for pause in pauses)
