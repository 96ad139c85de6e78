# ruff: noqa: RUF001 - the scripts are the subject.
"""Segments joined to sentences."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.timeline import Segment, Word
from workers.text.pieces import count_graphemes
from workers.text.sentences import MOST_GRAPHEMES, MOST_MS, Sentence, join_sentences


def cue(text: str, start_ms: int, end_ms: int) -> Segment:
    return Segment(start_ms=start_ms, end_ms=end_ms, text=text)


def spoken(text: str, start_ms: int, end_ms: int) -> Segment:
    """Return the segment with words that follow each other without pauses."""
    words, texts = [], text.split()
    for place, word in enumerate(texts):
        begin, end = (start_ms + (end_ms - start_ms) * at // len(texts) for at in (place, place + 1))
        words.append(Word(text=word, start_ms=begin, end_ms=end, timed_by="wav2vec2"))
    return Segment(start_ms=start_ms, end_ms=end_ms, text=text, words=tuple(words))


def texts(found: list[Sentence]) -> list[str]:
    return [sentence.text for sentence in found]


def joined(*cues: str, language: str = "en") -> list[str]:
    """Return the sentences of cues of 2 s, each right behind the other."""
    return texts(
        join_sentences([cue(text, 2000 * at, 2000 * at + 2000) for at, text in enumerate(cues)], language)
    )


def test_a_sentence_over_three_cues_is_one() -> None:
    assert joined("We were", "on our way", "home.") == ["We were on our way home."]


def test_a_segment_with_several_sentences_is_taken_apart() -> None:
    assert joined("Yes. No! Why", "not? I do not know.") == ["Yes.", "No!", "Why not?", "I do not know."]


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("वह घर गया। वह सो गया॥ क्यों?", "hi", ["वह घर गया।", "वह सो गया॥", "क्यों?"]),
        ("وہ گھر گیا۔ کیوں؟ وہ سو گیا۔", "ur", ["وہ گھر گیا۔", "کیوں؟", "وہ سو گیا۔"]),
        ("他回家了。为什么？他睡了！", "zh", ["他回家了。", "为什么？", "他睡了！"]),
        ("彼は「そうだ。」と言った。はい。", "ja", ["彼は「そうだ。」", "と言った。", "はい。"]),
        ("ᱱᱚᱣᱟ ᱫᱚ ᱚᱲᱟᱜ ᱠᱟᱱᱟ᱾ ᱦᱮᱸ᱾", "sat", ["ᱱᱚᱣᱟ ᱫᱚ ᱚᱲᱟᱜ ᱠᱟᱱᱟ᱾", "ᱦᱮᱸ᱾"]),
        ("Mr. Smith met J. K. Rowling. They left.", "en", ["Mr. Smith met J. K. Rowling.", "They left."]),
        ("It was 3.5 km away. He ran.", "en", ["It was 3.5 km away.", "He ran."]),
        ("The U.S. Army came at 5 p.m. It left.", "en", ["The U.S. Army came at 5 p.m.", "It left."]),
        ("Take No. 5, e.g. Monday. No. 5 is mine.", "en", ["Take No. 5, e.g. Monday.", "No. 5 is mine."]),
        ("He said no. She said yes.", "en", ["He said no.", "She said yes."]),
        ("Well… maybe. And… No.", "en", ["Well… maybe.", "And…", "No."]),
        ("A Sra. Silva chegou. O Dr. Reis saiu.", "pt", ["A Sra. Silva chegou.", "O Dr. Reis saiu."]),
        ("डॉ. शर्मा आए। वे गए।", "hi", ["डॉ. शर्मा आए।", "वे गए।"]),
        ('"Go." She went.', "en", ['"Go."', "She went."]),
        ("वे थे। ” उन्होंने कहा।", "hi", ["वे थे। ”", "उन्होंने कहा।"]),
        ("यू.एस. सेना और टी. रेक्स आए. वे गए.", "hi", ["यू.एस. सेना और टी. रेक्स आए.", "वे गए."]),
        ("What ?! - No ! Go.", "en", ["What ?!", "- No !", "Go."]),
    ],
)
def test_sentences_end_where_the_language_ends_them(text: str, language: str, expected: list[str]) -> None:
    assert joined(text, language=language) == expected
    words = spoken(text, 0, 9000)
    assert texts(join_sentences([words], language)) == expected


def test_the_words_keep_their_own_times() -> None:
    said = spoken("We were on our way home. Then", 1000, 8000)
    found = join_sentences([said, spoken("it rained.", 8000, 9000)], "en")
    assert texts(found) == ["We were on our way home.", "Then it rained."]
    assert [word for sentence in found for word in sentence.words][:7] == list(said.words)
    assert (found[0].start_ms, found[0].end_ms, found[1].end_ms) == (1000, 7000, 9000)


def test_words_without_times_share_the_time_of_their_segment_by_length() -> None:
    (found,) = join_sentences([cue("a bbb", 1000, 5000)], "en")
    assert [(word.text, word.start_ms, word.end_ms, word.timed_by) for word in found.words] == [
        ("a", 1000, 2000, "interpolated"),
        ("bbb", 2000, 5000, "interpolated"),
    ]


def test_nothing_is_joined_over_a_long_pause() -> None:
    segments = [cue("I was", 0, 1000), cue("going home", 3000, 4000), cue("when it rained.", 6001, 7000)]
    assert texts(join_sentences(segments, "en")) == ["I was going home", "when it rained."]


def test_a_sentence_that_is_too_long_is_cut_behind_a_clause() -> None:
    half = " ".join(["word"] * 50)
    found = joined(f"{half} {half[:100]},", f"{half} end.")
    assert found == [f"{half} {half[:100]},", f"{half} end."]


def test_what_goes_on_too_long_is_cut_in_its_longest_pause() -> None:
    first, second = spoken("one two three four", 0, 20_000), spoken("five six seven eight", 21_500, 41_500)
    found = join_sentences([first, second], "en")
    assert texts(found) == ["one two three four", "five six seven eight"]


def test_a_word_that_holds_the_end_of_a_sentence_is_taken_apart() -> None:
    word = Word(text="了。我", start_ms=0, end_ms=300)
    segment = Segment(start_ms=0, end_ms=300, text="了。我", words=(word,))
    assert texts(join_sentences([segment], "zh")) == ["了。", "我"]


def test_overlapping_segments_give_times_that_do_not_go_back() -> None:
    found = join_sentences([cue("Hello there.", 1000, 3000), cue("Hi.", 500, 1500)], "en")
    assert texts(found) == ["Hi.", "Hello there."]
    assert found[0].end_ms <= found[1].start_ms
    times = [time for sentence in found for word in sentence.words for time in (word.start_ms, word.end_ms)]
    assert times == sorted(times)


def test_nothing_said_is_no_sentence() -> None:
    assert join_sentences([], "en") == []
    assert join_sentences([cue("  ", 0, 1000)], "en") == []


LANGUAGES = ["en", "hi", "ur", "zh", "ja", "th", "km"]
WORDS = st.text("abcé Mr.,?!…।۔。、नमस्ते一二กำเ្ក1\u200d", min_size=1, max_size=12)
SEGMENTS = st.lists(st.tuples(WORDS, st.integers(0, 500_000), st.integers(0, 60_000)), max_size=12)


@settings(deadline=None)
@given(SEGMENTS, st.sampled_from(LANGUAGES), st.booleans())
def test_every_word_is_in_one_sentence_in_order_and_limits_hold(
    made: list[tuple[str, int, int]], language: str, worded: bool
) -> None:
    make = spoken if worded else cue
    segments = [make(text, start, start + length) for text, start, length in made]
    found = join_sentences(segments, language)
    ordered = sorted(segments, key=lambda segment: segment.start_ms)
    assert "".join("".join(segment.text for segment in ordered).split()) == "".join(
        "".join(texts(found)).split()
    )
    words = [word for sentence in found for word in sentence.words]
    assert all(word.start_ms <= word.end_ms for word in words)
    assert all(one.end_ms <= two.start_ms for one, two in pairwise(words))
    for sentence in found:
        fits = (
            count_graphemes(sentence.text) <= MOST_GRAPHEMES
            and sentence.end_ms - sentence.start_ms <= MOST_MS
        )
        assert fits or len(sentence.words) == 1
