"""What was heard again stands where it is said, marked, and nothing else moves."""

from __future__ import annotations

from dataclasses import replace

from protocol.timeline import HEARD_AGAIN, Segment
from workers.engines.whisperx.transcripts import TimedPart, put_in
from workers.speech.judging import Guess
from workers.speech.unheard import Filling
from workers.speech.word_times import TimedWord


def timed(text: str, start_ms: int) -> list[TimedWord]:
    return [
        TimedWord(text=word, start_ms=start_ms + 300 * index, end_ms=start_ms + 300 * (index + 1))
        for index, word in enumerate(text.split())
    ]


def part(text: str, start_ms: int, words: list[TimedWord] | None = None) -> TimedPart:
    words = words or timed(text, start_ms)
    segment = Segment(start_ms=start_ms, end_ms=words[-1].end_ms, text=text, avg_logprob=-0.1, no_speech=0.0)
    return TimedPart(segment=segment, words=words, timed_by="wav2vec2")


def filling(text: str, start_ms: int, instead_of: TimedWord | None = None, language: str = "") -> Filling:
    guess = Guess(text=text, avg_logprob=-0.34567, no_speech=0.2)
    words = tuple(timed(text, start_ms))
    return Filling(words=words, guess=guess, instead_of=instead_of, language=language)


def texts(segments: list[Segment]) -> list[tuple[str, bool]]:
    return [(segment.text, HEARD_AGAIN in segment.marks) for segment in segments]


def test_without_fillings_the_sentences_are_as_they_were() -> None:
    found = put_in([part("One. Two three.", 0), part("Four.", 5_000)], [], "en")
    assert texts(found) == [("One.", False), ("Two three.", False), ("Four.", False)]


def test_a_filling_is_a_marked_segment_between_the_sentences() -> None:
    parts = [part("Ask again.", 1_000), part("And so on.", 9_000)]
    found = put_in(parts, [filling("Ask again.", 4_000), filling("Ask again.", 6_000)], "en")
    assert texts(found) == [
        ("Ask again.", False),
        ("Ask again.", True),
        ("Ask again.", True),
        ("And so on.", False),
    ]
    assert found[1].avg_logprob == -0.3457
    assert {word.timed_by for word in found[1].words} == {"cross-attention"}
    assert {word.timed_by for word in found[0].words} == {"wav2vec2"}


def test_a_filling_before_all_words_comes_first() -> None:
    found = put_in([part("And so on.", 9_000)], [filling("Ask again.", 1_000)], "en")
    assert texts(found) == [("Ask again.", True), ("And so on.", False)]


def test_a_sentence_that_goes_on_after_the_filling_is_cut_in_two() -> None:
    words = [TimedWord(text="He", start_ms=0, end_ms=7_000), *timed("might go.", 7_000)]
    found = put_in([part("He might go.", 0, words)], [filling("was not. He", 2_000)], "en")
    assert texts(found) == [("He", False), ("was not.", True), ("He", True), ("might go.", False)]
    assert found[0].words[0].end_ms == 2_000


def test_a_word_that_is_in_the_filling_is_not_there_twice() -> None:
    words = [TimedWord(text="He", start_ms=0, end_ms=7_000), *timed("might go.", 7_000)]
    found = put_in([part("He might go.", 0, words)], [filling("was not. He", 2_000, words[0])], "en")
    assert texts(found) == [("was not.", True), ("He", True), ("might go.", False)]


def test_a_part_and_what_fills_it_keep_the_language_of_its_segment() -> None:
    german = part("Es war am 3. Oktober. Ja.", 0)
    german = replace(german, segment=replace(german.segment, language="de"))
    found = put_in([german, part("Four.", 9_000)], [filling("Ach so.", 7_000)], "en")
    assert [(segment.text, segment.language) for segment in found] == [
        ("Es war am 3. Oktober.", "de"),
        ("Ja.", "de"),
        ("Ach so.", "de"),
        ("Four.", ""),
    ]


def test_what_is_heard_again_before_the_first_words_of_another_language_is_in_that_language() -> None:
    german = part("Das ist alles.", 9_000)
    german = replace(german, segment=replace(german.segment, language="de"))
    fillings = [filling("Am 3. Oktober.", 7_000, language="de"), filling("All right.", 12_000, language="en")]
    found = put_in([part("Four.", 0), german], fillings, "en")
    assert [(segment.text, segment.language) for segment in found] == [
        ("Four.", ""),
        ("Am 3. Oktober.", "de"),
        ("Das ist alles.", "de"),
        ("All right.", ""),
    ]
