"""An engine that translates by hearing goes on from a draft."""

from __future__ import annotations

from dataclasses import replace

from protocol.subtitles.doubts import UNTRANSLATED
from protocol.timeline import Segment, Transcript, Word
from workers.text.drafts import left_of, with_draft


def said(*sentences: tuple[int, int, str]) -> Transcript:
    words = tuple(Word(text=text, start_ms=start, end_ms=end) for start, end, text in sentences)
    text = " ".join(word.text for word in words)
    segment = Segment(start_ms=words[0].start_ms, end_ms=words[-1].end_ms, text=text, words=words)
    return Transcript(language="hi", segments=(segment,))


SOURCE = said((0, 900, "एक।"), (1_000, 1_900, "दो।"), (2_000, 2_900, "तीन।"))
DRAFT = Transcript(
    language="en",
    translated_from="hi",
    segments=(
        Segment(start_ms=0, end_ms=900, text="One."),
        Segment(start_ms=1_000, end_ms=1_900, text="", marks=(UNTRANSLATED,)),
        Segment(start_ms=2_000, end_ms=2_900, text="Three."),
    ),
)


def test_only_what_is_left_is_heard_again() -> None:
    left = left_of(SOURCE, DRAFT)
    assert [(segment.start_ms, segment.text) for segment in left.segments] == [(1_000, "दो।")]


def test_the_translation_takes_the_place_of_what_was_left() -> None:
    made = Transcript(language="en", segments=(Segment(start_ms=1_020, end_ms=1_800, text="Two."),))
    assert [segment.text for segment in with_draft(made, DRAFT).segments] == ["One.", "Two.", "Three."]


def test_nothing_is_left_of_a_whole_draft() -> None:
    whole = replace(DRAFT, segments=DRAFT.segments[::2])
    assert left_of(SOURCE, whole).segments == ()
