"""What is repeated: a loop is cut, what a person says again and again is kept."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from protocol.timeline import Segment, Span
from tests.sentences import cleaned, sentence, texts
from workers.text.writing import join

LOOPS = {
    "en": ("Oh my god.", 14),
    "hi": ("नहीं नहीं जाओ।", 9),
    "ta": ("வா வா போ.", 9),
    "ja": ("はい そう です。", 12),
}
CRAMMED_MS = 30


@pytest.mark.parametrize("language", LOOPS)
def test_a_loop_that_nobody_can_have_said_is_cut_to_one(language):
    unit, times = LOOPS[language]
    found = cleaned(
        sentence(" ".join([unit] * times), each_ms=CRAMMED_MS, language=language),
        language=language,
        speech_rate=False,
    )
    assert texts(found) == [join(unit.split(), language)]
    (gone,) = found.removed
    assert gone.rule == "loops"
    assert f"{times} times in a row" in gone.reason
    assert "faster than anybody speaks" in gone.reason
    assert gone.text == join((" ".join([unit] * (times - 1))).split(), language)
    assert (gone.start_ms, gone.end_ms) == (
        10_000 + len(unit.split()) * CRAMMED_MS,
        10_000 + len(unit.split()) * times * CRAMMED_MS,
    )


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("No, no, no!", "en"),
        ("नहीं, नहीं, नहीं, नहीं।", "hi"),
        ("இல்லை, இல்லை, இல்லை!", "ta"),
        ("いや、 いや、 いや！", "ja"),  # noqa: RUF001 (the letters are meant)
    ],
)
def test_a_person_who_says_no_three_times_is_heard_three_times(text, language):
    said = sentence(text, each_ms=250, language=language)
    found = cleaned(said, language=language)
    assert found.transcript.segments == (said,)
    assert found.removed == ()


def test_a_long_sentence_that_comes_eight_times_is_a_loop_however_sure():
    """SubtitleEdit#13081: thirty seconds of text, again for each chunk of a film."""
    text = " ".join(f"word{number}" for number in range(60)) + "."
    found = cleaned(*(sentence(text, start_ms=30_000 * n, each_ms=480) for n in range(8)))
    assert texts(found) == [text]
    assert found.removed[0].reason.endswith("8 of them too long to be said so often: 1 kept")


def test_a_refrain_of_two_lines_that_comes_four_times_is_kept():
    text = (
        "We all live in a yellow submarine, a yellow submarine, a yellow submarine, as we did before tonight."
    )
    found = cleaned(*(sentence(text, start_ms=20_000 * n) for n in range(4)))
    assert texts(found) == [text] * 4


def test_the_same_number_thirty_times_is_a_loop_and_a_name_is_called_as_often_as_it_is():
    assert texts(cleaned(sentence("90 " * 30, each_ms=500))) == ["90"]
    assert texts(cleaned(sentence("Modi " * 30, each_ms=500))) == [" ".join(["Modi"] * 30)]


def test_a_chant_is_kept_and_told_of():
    said = sentence("Hare Krishna " * 16, each_ms=500)
    found = cleaned(said)
    assert found.transcript.segments == (said,)
    assert found.removed == ()
    (told,) = found.kept
    assert told.rule == "loops"
    assert "'Hare Krishna' 16 times in a row" in told.reason


def test_a_songs_line_that_comes_again_as_sentences_is_kept_and_told_of():
    lines = [sentence("We will rock you.", start_ms=10_000 + 4_000 * n) for n in range(5)]
    found = cleaned(*lines)
    assert found.transcript.segments == tuple(lines)
    assert len(found.kept) == 1


def test_a_loop_over_sentences_that_the_recogniser_doubts_leaves_those_at_its_start():
    doubted = [
        sentence("Let us go!", start_ms=20_000 + 5_000 * n, avg_logprob=-1.4, probability=0.2)
        for n in range(1, 9)
    ]
    found = cleaned(sentence("Let us go!", start_ms=20_000), *doubted, low_confidence=False)
    assert texts(found) == ["Let us go!"]
    (gone,) = found.removed
    assert "8 of them doubted by the recogniser: 1 kept" in gone.reason
    assert (gone.start_ms, gone.end_ms) == (25_000, 60_900)


def test_a_loop_that_runs_on_where_nobody_speaks_is_cut():
    speech = (Span(start_ms=9_000, end_ms=12_000, peak=0.99),)
    found = cleaned(sentence("come on " * 20, each_ms=400), speech=speech)
    assert texts(found) == ["come on come on"]
    assert "outside the speech: 2 kept" in found.removed[0].reason


def test_what_is_left_of_a_loop_ends_as_the_loop_did_and_the_sentence_goes_on():
    crammed = sentence("no, no, no, no, no.", each_ms=40)
    assert texts(cleaned(crammed)) == ["no."]
    again = " ".join(["my", "god,"] * 6)
    found = cleaned(sentence(f"Well, {again} what is that over there now?", each_ms=50), speech_rate=False)
    assert texts(found) == ["Well, my god, what is that over there now?"]


def test_a_last_repetition_that_breaks_off_goes_with_the_loop():
    found = cleaned(sentence("Oh my god. " * 6 + "Oh my", each_ms=40), speech_rate=False)
    assert texts(found) == ["Oh my god."]
    assert found.removed[0].text.endswith("Oh my")


def test_letters_that_loop_inside_a_word_are_cut_and_a_laugh_is_kept():
    crammed = sentence("कहा कककककककककककककककककककक।", language="hi")
    found = cleaned(crammed, language="hi")
    assert texts(found) == ["कहा कक।"]
    assert found.removed[0].text == "कककककककककककककककककककक।"
    laugh = sentence("Hahahahahahaha!", each_ms=1_500)
    found = cleaned(laugh)
    assert found.transcript.segments == (laugh,)
    assert "as they can be said" in found.kept[0].reason


def test_a_sentence_that_was_not_aligned_is_looked_at_by_the_words_that_share_its_time():
    bare = Segment(start_ms=0, end_ms=500, text="go away " * 12, avg_logprob=-0.3)
    assert texts(cleaned(bare, speech_rate=False)) == ["go away"]
    slow = replace(bare, text="Go away from here.", end_ms=2_000)
    assert cleaned(slow).transcript.segments == (slow,)


def test_no_word_is_lost_or_doubled_without_its_removal_being_told():
    dice = random.Random(11)
    for _ in range(200):
        said = [
            sentence(
                " ".join(dice.choice(["no", "my", "god", "come", "on."]) for _ in range(dice.randint(1, 30))),
                start_ms=20_000 * number,
                each_ms=dice.choice([30, 60, 120, 400]),
                probability=dice.choice([0.1, 0.5, 0.95]),
                avg_logprob=dice.choice([-0.2, -1.3]),
            )
            for number in range(dice.randint(1, 6))
        ]
        found = cleaned(*said)
        count = sum(len(spoken_segment.words) for spoken_segment in said)
        left = found.transcript.words()
        assert len(left) + sum(len(removal.text.split()) for removal in found.removed) == count
        times = [(word.start_ms, word.end_ms) for segment in said for word in segment.words]
        places = [times.index((word.start_ms, word.end_ms)) for word in left]
        assert places == sorted(set(places))


def test_a_long_film_is_cleaned_at_once():
    dice = random.Random(3)
    words = [f"word{number}" for number in range(500)]
    said = [sentence(" ".join(dice.choices(words, k=20)), 7_200 * number) for number in range(1_000)]
    speech = (Span(start_ms=0, end_ms=7_200_000),)
    assert len(cleaned(*said, speech=speech).transcript.words()) == 20_000


def test_a_loop_is_written_in_the_language_of_its_own_stretch():
    unit, times = LOOPS["ja"]
    loop = sentence(" ".join([unit] * times), each_ms=CRAMMED_MS, language="ja")
    found = cleaned(replace(loop, language="ja"), language="en", speech_rate=False)
    assert texts(found) == [join(unit.split(), "ja")]
    assert found.transcript.segments[0].language == "ja"
