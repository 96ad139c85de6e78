"""Two transcripts, word by word."""

from __future__ import annotations

from clients.word_errors import compare_transcripts
from protocol.timeline import Segment, Transcript, Word


def said(text: str, language: str = "en", late_ms: int = 0) -> Transcript:
    words = tuple(
        Word(text=part, start_ms=index * 500 + late_ms, end_ms=index * 500 + 400 + late_ms)
        for index, part in enumerate(text.split())
    )
    segments = (Segment(start_ms=0, end_ms=10_000, text=text, words=words),) if words else ()
    return Transcript(language=language, segments=segments)


def test_case_and_punctuation_are_no_difference() -> None:
    found = compare_transcripts(said("Hello, my friend."), said("hello my friend"))
    assert found.error_rate == 0.0
    assert found.differences == ()


def test_a_word_of_another_sound_is_counted_and_shown_with_its_neighbours_and_its_time() -> None:
    found = compare_transcripts(
        said("you are a jerk Tom and know it"), said("you are a clerk Tom and know it")
    )
    assert found.error_rate == 1 / 8
    assert (found.substituted, found.missing, found.added) == (1, 0, 0)
    (only,) = found.differences
    assert (only.start_ms, only.a, only.b) == (500, "are a jerk Tom and", "are a clerk Tom and")


def test_missing_and_added_words_are_told_apart() -> None:
    found = compare_transcripts(
        said("one two three four five six seven eight"), said("one three four five six seven eight nine")
    )
    assert (found.missing, found.added) == (1, 1)
    assert len(found.differences) == 2


def test_vowel_signs_count_in_hindi() -> None:
    assert compare_transcripts(said("की", "hi"), said("का", "hi")).error_rate == 1.0
    assert compare_transcripts(said("यह सच है।", "hi"), said("यह सच है", "hi")).error_rate == 0.0


def test_a_language_without_spaces_is_compared_by_graphemes() -> None:
    found = compare_transcripts(said("今日は天気", "ja"), said("今日は元気", "ja"))
    assert found.by_graphemes
    assert found.error_rate == 1 / 5


def test_how_far_apart_the_same_words_start_is_told() -> None:
    assert compare_transcripts(said("a b c d"), said("a b c d", late_ms=40)).start_difference_ms == (40, 40)


def test_a_silent_side_is_all_missing_or_all_added() -> None:
    nothing = compare_transcripts(said("a b"), said(""))
    assert (nothing.error_rate, nothing.missing, nothing.differences[0].a) == (1.0, 2, "a b")
    assert compare_transcripts(said(""), said("a b")).error_rate is None
    assert compare_transcripts(said(""), said("")).differences == ()
