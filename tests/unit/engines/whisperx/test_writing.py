# ruff: noqa: RUF001 - the scripts are the subject.
"""Words and sentences as languages write them."""

from __future__ import annotations

import pytest

from protocol.timeline import Segment, Word
from workers.text.writing import cut_to_sentences, glue


def glued(pieces: list[str], language: str) -> list[str]:
    return ["".join(pieces[index] for index in group).strip() for group in glue(pieces, language)]


@pytest.mark.parametrize(
    ("pieces", "language", "words"),
    [
        ([" And", " so", ",", " ill", "-disposed", "."], "en", ["And", "so,", "ill-disposed."]),
        ([" “", "Hello", ",”", " he", " said"], "en", ["“Hello,”", "he", "said"]),
        ([" ¿", "Qué", "?"], "es", ["¿Qué?"]),
        ([" one", " –", " two"], "en", ["one –", "two"]),
        ([" -", " Yes", "."], "en", ["- Yes."]),
        ([" हि", "न्", "दी", " है", "।"], "hi", ["हिन्दी", "है।"]),
        (["你", "好", "，", "世界", "。"], "zh", ["你", "好，", "世界。"]),
        (["「", "はい", "」", "と"], "ja", ["「はい」", "と"]),
        (["ก", "ำ", "ดี", "่"], "th", ["กำ", "ดี่"]),
        (["看", "You", "Tube", "吧"], "zh", ["看", "YouTube", "吧"]),
        ([], "en", []),
    ],
)
def test_a_word_keeps_its_punctuation_and_no_grapheme_is_split(
    pieces: list[str], language: str, words: list[str]
) -> None:
    assert glued(pieces, language) == words


def timed(*words: tuple[str, int, int]) -> Segment:
    made = tuple(Word(text=text, start_ms=start, end_ms=end) for text, start, end in words)
    return Segment(start_ms=0, end_ms=99_000, text="", words=made, avg_logprob=-0.3)


def test_a_segment_is_cut_behind_sentences_and_at_long_pauses() -> None:
    segment = timed(("Mr.", 0, 200), ("Dashwood.", 200, 800), ("He", 900, 1_000), ("was", 4_000, 4_200))
    cut = cut_to_sentences(segment, "en")
    assert [(sentence.text, sentence.start_ms, sentence.end_ms) for sentence in cut] == [
        ("Mr. Dashwood.", 0, 800),
        ("He", 900, 1_000),
        ("was", 4_000, 4_200),
    ]
    assert {sentence.avg_logprob for sentence in cut} == {-0.3}


def test_a_language_without_spaces_gets_none() -> None:
    assert cut_to_sentences(timed(("你", 0, 200), ("好。", 200, 800)), "zh")[0].text == "你好。"
    words = timed(("看", 0, 100), ("New", 100, 200), ("York", 200, 300), ("吧", 300, 400))
    assert cut_to_sentences(words, "zh")[0].text == "看New York吧"
