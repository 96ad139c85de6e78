"""Who says the words of a transcript."""

from __future__ import annotations

import pytest

from protocol.timeline import Segment, Speaker, Transcript, Turn, Word
from workers.text.sentences import join_sentences
from workers.text.speakers import NEAR_MS, like_source, with_speakers

TURNS = (
    Turn(start_ms=1_000, end_ms=2_000, speaker="1"),
    Turn(start_ms=2_000, end_ms=4_000, speaker="2"),
)


def transcript(*times: tuple[int, int], text: str = "word") -> Transcript:
    words = tuple(Word(text=text, start_ms=start, end_ms=end) for start, end in times)
    spoken = " ".join([text] * len(times))
    segment = Segment(start_ms=times[0][0], end_ms=times[-1][1], text=spoken, words=words)
    return Transcript(language="en", segments=(segment,))


@pytest.mark.parametrize(
    ("start_ms", "end_ms", "speaker"),
    [
        (1_200, 1_500, "1"),
        (1_800, 2_100, "1"),
        (1_900, 2_300, "2"),
        (4_000 + NEAR_MS, 4_900, "2"),
        (4_001 + NEAR_MS, 4_900, ""),
        (200, 500, "1"),
        (100, 400, ""),
    ],
)
def test_a_word_belongs_to_the_turn_that_covers_most_of_it_or_is_near(
    start_ms: int, end_ms: int, speaker: str
) -> None:
    found = with_speakers(transcript((start_ms, end_ms)), TURNS)
    assert [word.speaker for word in found.words()] == [speaker]


def test_the_speakers_of_a_transcript_are_those_who_say_a_word() -> None:
    found = with_speakers(transcript((1_200, 1_500)), TURNS)
    assert found.speakers == (Speaker(id="1", speech_ms=1_000),)


def test_a_sentence_ends_where_another_person_speaks() -> None:
    said = with_speakers(transcript((1_200, 1_500), (1_500, 1_900), (2_100, 2_500)), TURNS)
    sentences = join_sentences(said.segments, "en")
    assert [(sentence.text, sentence.speaker) for sentence in sentences] == [
        ("word word", "1"),
        ("word", "2"),
    ]


def test_a_word_of_nobody_joins_no_two_people_and_a_merged_word_keeps_its_speaker() -> None:
    said = (("1", "Are"), ("1", "you"), ("", "well"), ("2", "I"), ("2", "am.Thanks."), ("", "Sure."))
    words = tuple(
        Word(text=text, start_ms=500 * at, end_ms=500 * at + 400, speaker=speaker)
        for at, (speaker, text) in enumerate(said)
    )
    text = " ".join(word.text for word in words)
    found = join_sentences([Segment(start_ms=0, end_ms=2_900, text=text, words=words)], "en")
    assert [(sentence.text, sentence.speaker) for sentence in found[:2]] == [
        ("Are you well", "1"),
        ("I am.Thanks.", "2"),
    ]
    merged = Word(text="はい。いいえ。", start_ms=0, end_ms=900, speaker="2")
    found = join_sentences([Segment(start_ms=0, end_ms=900, text=merged.text, words=(merged,))], "ja")
    assert [(sentence.text, sentence.speaker) for sentence in found] == [("はい。", "2"), ("いいえ。", "2")]


def test_a_translation_has_the_speakers_of_its_source() -> None:
    source = with_speakers(transcript((1_200, 1_900), (2_100, 3_500)), TURNS)
    found = like_source(transcript((1_000, 1_400), (1_400, 2_000), (2_050, 3_000), text="mot"), source)
    assert [word.speaker for word in found.words()] == ["1", "1", "2"]
    assert found.speakers == source.speakers


def test_a_transcript_without_speakers_stays_as_it_is() -> None:
    plain = transcript((1_200, 1_500))
    assert like_source(plain, plain) is plain


@pytest.mark.parametrize(
    ("said", "turned_at", "settled"),
    [
        ("to do for him. This is me talking.", 3, 4),
        ("a really long story indeed. Well yes, there is.", 6, 5),
        ("to do for him and her. This is me.", 3, 3),
        ("Yes. No. Really?", 1, 1),
        ("I am not. No.", 1, 1),
    ],
)
def test_speakers_change_at_the_end_of_a_sentence_that_is_near(
    said: str, turned_at: int, settled: int
) -> None:
    texts = said.split()
    words = tuple(
        Word(text=text, start_ms=100 * place, end_ms=100 * place + 100) for place, text in enumerate(texts)
    )
    heard = Transcript(
        language="en", segments=(Segment(start_ms=0, end_ms=words[-1].end_ms, text=said, words=words),)
    )
    turns = (
        Turn(start_ms=0, end_ms=100 * turned_at, speaker="1"),
        Turn(start_ms=100 * turned_at, end_ms=100 * len(texts), speaker="2"),
    )
    found = [word.speaker for word in with_speakers(heard, turns).words()]
    assert found == ["1"] * settled + ["2"] * (len(texts) - settled)


def test_a_short_turn_between_two_is_not_taken_by_both_of_them() -> None:
    # Its first word may end the sentence before it; then its second one is all that it has.
    said = "How many men were there. And they came to me."
    texts = said.split()
    words = tuple(
        Word(text=text, start_ms=100 * place, end_ms=100 * place + 100) for place, text in enumerate(texts)
    )
    heard = Transcript(language="en", segments=(Segment(start_ms=0, end_ms=1_000, text=said, words=words),))
    turns = (
        Turn(start_ms=0, end_ms=400, speaker="1"),
        Turn(start_ms=400, end_ms=600, speaker="2"),
        Turn(start_ms=600, end_ms=1_000, speaker="3"),
    )
    found = [word.speaker for word in with_speakers(heard, turns).words()]
    assert found == ["1"] * 5 + ["2"] + ["3"] * 4


def test_a_long_word_of_one_who_speaks_under_another_is_found() -> None:
    long = Segment(
        start_ms=0, end_ms=9_000, text="Oh!", words=(Word(text="Oh!", start_ms=0, end_ms=9_000, speaker="1"),)
    )
    others = tuple(
        Word(text=str(at), start_ms=100 * at, end_ms=100 * at + 90, speaker="2") for at in range(1, 9)
    )
    short = Segment(start_ms=100, end_ms=890, text="", words=others)
    source = Transcript(language="hi", segments=(long, short), speakers=(Speaker(id="1"), Speaker(id="2")))
    found = like_source(transcript((5_000, 5_400)), source)
    assert [word.speaker for word in found.words()] == ["1"]
