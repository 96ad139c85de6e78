"""Names that were heard nearly as the glossary writes them."""

from __future__ import annotations

import pytest

from protocol.subtitles.doubts import TERM
from protocol.timeline import Segment, Transcript
from workers.text.glossary.heard import mark_spellings
from workers.text.glossary.likeness import may_be_one_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gabbar", "Gabar"),
        ("Catherine", "Katharine"),
        ("Shaun", "Shawn"),
        ("Ramgarh", "Ramgar"),
        ("ठाकुर", "ठाकूर"),
        ("अंबर", "अम्बर"),
        ("ઠાકુર", "ઠાકૂર"),
    ],
)
def test_two_spellings_may_be_one_name(one: str, other: str) -> None:
    assert may_be_one_name(one, other)
    assert may_be_one_name(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gabbar", "Gabbar"),
        ("Gabbar", "Gabbars"),
        ("Marcus", "Marco"),
        ("Anna", "Ana"),
        ("house", "horse"),
        ("लड़का", "लड़के"),
        ("Gabbar", "Jabbar"),
    ],
)
def test_other_words_and_other_forms_are_not(one: str, other: str) -> None:
    assert not may_be_one_name(one, other)


def transcript(*lines: str, language: str = "en") -> Transcript:
    segments = tuple(
        Segment(start_ms=place * 1_000, end_ms=place * 1_000 + 900, text=line, marks=("haste",) * (not place))
        for place, line in enumerate(lines)
    )
    return Transcript(language=language, segments=segments)


def test_a_line_with_a_name_that_is_spelt_otherwise_is_marked_and_counted() -> None:
    lines = (
        "Where is Gabar?",
        "There is Gabbar.",
        "A gabar.",
        "Gabbar's men and Gabar\u2019s.",
        "Gabbars, GABBAR!",
    )
    heard = mark_spellings(transcript(*lines), ("Gabbar",))
    assert [segment.marks for segment in heard.transcript.segments] == [("haste", TERM), (), (), (TERM,), ()]
    assert heard.notes == ("heard otherwise: Gabar for Gabbar (2)",)


def test_the_words_of_a_longer_name_are_looked_for_one_by_one() -> None:
    heard = mark_spellings(transcript("Gabar Singh", "Gabbar Singh", "Singh"), ("Gabbar Singh",))
    assert [bool(segment.marks.count(TERM)) for segment in heard.transcript.segments] == [True, False, False]


def test_scripts_without_capitals_are_compared_and_languages_without_spaces_are_not() -> None:
    hindi = mark_spellings(transcript("ठाकूर आया", "ठाकुर आया", language="hi"), ("ठाकुर",))
    assert [TERM in segment.marks for segment in hindi.transcript.segments] == [True, False]
    japanese = transcript("東亰", language="ja")
    assert mark_spellings(japanese, ("東京",)).transcript is japanese


def test_without_terms_nothing_changes() -> None:
    plain = transcript("Where is Gabar?")
    assert mark_spellings(plain, ()).transcript is plain
