"""A transcript in another script: word by word, with its times."""

from __future__ import annotations

import pytest

from protocol.languages import find_tag
from protocol.timeline import Segment, Transcript, Word
from workers.engines.common.scripts.convert import in_script, text_in_script


@pytest.mark.parametrize(
    ("tag", "text", "written"),
    [
        ("hi-Latn", "मैं २ बजे Apple के साथ आया।", "main 2 baje Apple ke saath aaya."),
        ("hi-Latn", "3.5% और १,०००!", "3.5% aur 1,000!"),
        ("hi-Arab", "आप, कहाँ 1,000 लोग?", "آپ، کہاں 1,000 لوگ؟"),
        ("ur-Deva", "میں نے کہا، ۲۰ لوگ۔", "में ने कहा, 20 लोग।"),
        ("ur-Latn", "آپ کہاں ہیں؟", "aap kahan hain?"),
        ("pa-Arab", "ਪੰਜਾਬ।", "پنجاب۔"),
        ("pa-Deva", "ਪੰਜਾਬ", "पंजाब"),
        ("sr-Latn", "Љубав, ЊЕГОШ и Џеп 2", "Ljubav, NJEGOŠ i Džep 2"),
        ("sr-Cyrl", "Ljubav i Njegoš, iPhone", "Љубав и Његош, iPhone"),
        ("sr-Cyrl", "Nadživeti injekciju", "Надживети инјекцију"),
        ("bs-Cyrl", "Kuća", "Кућа"),
    ],
)
def test_text_names_numbers_and_punctuation(tag: str, text: str, written: str) -> None:
    assert text_in_script(text, find_tag(tag)) == written


def test_what_is_in_the_script_already_stays() -> None:
    for tag, text in (("hi-Latn", "main theek hoon."), ("sr-Latn", "Ljubav"), ("ur-Deva", "मैं")):
        assert text_in_script(text, find_tag(tag)) == text


def words(text: str, start_ms: int) -> tuple[Word, ...]:
    return tuple(
        Word(text=word, start_ms=start_ms + 100 * place, end_ms=start_ms + 100 * place + 90, probability=0.5)
        for place, word in enumerate(text.split())
    )


def spoken(*texts: str) -> Transcript:
    return Transcript(
        language="hi",
        segments=tuple(
            Segment(
                start_ms=1_000 * place,
                end_ms=1_000 * place + 900,
                text=text,
                words=words(text, 1_000 * place),
            )
            for place, text in enumerate(texts)
        ),
    )


def test_each_word_keeps_its_times_and_its_probability() -> None:
    heard = spoken("आप कैसे हैं", "मैं ठीक हूँ")
    made = in_script(heard, "hi-Latn")
    assert made.language == "hi-Latn"
    assert [segment.text for segment in made.segments] == ["aap kaise hain", "main theek hun"]
    for before, after in zip(heard.words(), made.words(), strict=True):
        assert (after.start_ms, after.end_ms, after.probability) == (before.start_ms, before.end_ms, 0.5)


def test_sentences_begin_with_a_capital_where_there_are_sentences() -> None:
    made = in_script(spoken("आप कैसे", "हैं? मैं ठीक", "हूँ।"), "hi-Latn")
    assert [segment.text for segment in made.segments] == ["Aap kaise", "hain? Main theek", "hun."]
    assert [word.text for word in made.words()] == ["Aap", "kaise", "hain?", "Main", "theek", "hun."]


def test_a_segment_in_another_language_stays_as_it_is() -> None:
    heard = spoken("आप", "नमस्ते")
    other = Transcript(
        language="hi",
        segments=(heard.segments[0], Segment(start_ms=1_000, end_ms=1_900, text="நன்றி", language="ta")),
    )
    assert in_script(other, "hi-Latn").segments[1] == other.segments[1]
