"""What is taken out of a transcript, and what is not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from protocol.timeline import Segment, Span, Word
from tests.sentences import FILM_MS, IN_SPEECH, cleaned, rules_of, sentence, texts
from workers.engines.common.cleaning.rules import RULES

# What is said.

GOOD = {
    "en": "And so my fellow Americans ask not what your country can do for you.",
    "hi": "वित्त मंत्रालय ने कहा है कि सरकार को मदद मिलेगी।",
    "ta": "நான் நாளை காலை உன்னை சந்திக்கிறேன்.",
    "ja": "明日 の 朝 駅 で 会い ましょう。",
    "ur": "وہ کل صبح اسٹیشن پر ملے گا۔",  # noqa: RUF001 (the letters are meant)
    "zh": "明天 早上 我们 在 车站 见面。",
}


@pytest.mark.parametrize("language", GOOD)
def test_what_is_said_stays_to_the_letter(language):
    said = sentence(GOOD[language], language=language)
    for speech in (IN_SPEECH, ()):
        found = cleaned(said, speech=speech, language=language)
        assert found.transcript.segments == (said,)
        assert (found.removed, found.kept) == ((), ())


def test_a_transcript_that_knows_no_probabilities_loses_nothing_by_them():
    said = sentence("Go home.", probability=None, avg_logprob=None, no_speech=None)
    assert cleaned(said).removed == ()


def test_nothing_is_made_of_nothing():
    assert cleaned().transcript.segments == ()


# Credits.


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Thanks for watching!", "en"),
        ("Subtitles by the Amara.org community", "en"),
        ("देखने के लिए धन्यवाद।", "hi"),
        ("பார்த்ததற்கு நன்றி.", "ta"),
        ("ご視聴 ありがとう ございました。", "ja"),
    ],
)
def test_credits_go_where_nobody_speaks_and_stay_where_they_are_said(text, language):
    said = sentence(text, start_ms=100_000, language=language)
    elsewhere = (Span(start_ms=1_000, end_ms=50_000, peak=0.99),)
    found = cleaned(said, speech=elsewhere, language=language)
    assert texts(found) == []
    assert rules_of(found) == ["credits"]
    assert "where nobody speaks" in found.removed[0].reason
    found = cleaned(said, language=language)
    assert found.transcript.segments == (said,)
    assert found.kept[0].rule == "credits"


@pytest.mark.parametrize(
    ("fields", "speech", "why"),
    [
        ({"no_speech": 0.8}, IN_SPEECH, "hears no speech"),
        ({"avg_logprob": -1.3, "probability": 0.2}, IN_SPEECH, "doubts it"),
        ({}, (Span(start_ms=0, end_ms=FILM_MS, peak=0.52),), "VAD hardly heard"),
        ({"each_ms": 60}, IN_SPEECH, "faster than anybody"),
        (
            {"start_ms": FILM_MS - 5_000, "probability": 0.5},
            (Span(start_ms=0, end_ms=FILM_MS, peak=0.8),),
            "at the film's end",
        ),
    ],
)
def test_credits_need_one_thing_more_than_their_words(fields, speech, why):
    found = cleaned(sentence("Thank you for watching.", **fields), speech=speech)
    assert rules_of(found) == ["credits"]
    assert why in found.removed[0].reason


def test_thanks_at_the_end_that_are_clearly_said_stay():
    said = sentence("Thank you for watching.", start_ms=FILM_MS - 5_000, probability=0.95)
    assert cleaned(said).transcript.segments == (said,)


@pytest.mark.parametrize("text", ["For more information, go to www.who.int.", "The end.", "To be continued."])
def test_what_is_said_at_the_end_in_strong_speech_stays_though_it_looks_like_credits(text):
    """freeflow PR#281: a log probability of -0.55 is no doubt where VAD is sure."""
    said = sentence(text, start_ms=FILM_MS - 5_000, probability=0.577, avg_logprob=-0.55)
    assert cleaned(said).transcript.segments == (said,)


# Outside speech.


@pytest.mark.parametrize("text", [".", "...", "? !", "—"])
def test_a_segment_of_marks_alone_goes(text):
    found = cleaned(sentence(text), sentence("I see.", start_ms=20_000))
    assert (texts(found), rules_of(found)) == (["I see."], ["outside_speech"])
    assert found.removed[0].reason == "it has no word"


def test_a_note_alone_stays():
    assert texts(cleaned(sentence("♪ ♪"))) == ["♪ ♪"]


@pytest.mark.parametrize("language", GOOD)
def test_text_outside_any_speech_goes_and_what_reaches_into_it_stays(language):
    said = sentence(GOOD[language], start_ms=100_000, language=language)
    far = (Span(start_ms=0, end_ms=90_000, peak=0.99), Span(start_ms=200_000, end_ms=210_000, peak=0.99))
    found = cleaned(said, speech=far, language=language)
    assert (texts(found), rules_of(found)) == ([], ["outside_speech"])
    near = (*far, Span(start_ms=said.end_ms - 400, end_ms=said.end_ms + 3_000, peak=0.99))
    assert cleaned(said, speech=near, language=language).transcript.segments == (said,)


def test_words_within_the_margin_of_speech_belong_to_it():
    said = sentence("Yes.", start_ms=10_000, each_ms=300)
    speech = (Span(start_ms=10_600, end_ms=12_000),)
    assert cleaned(said, speech=speech).removed == ()
    assert rules_of(cleaned(said, speech=speech, speech_margin_ms=100)) == ["outside_speech"]


def test_a_word_stretched_over_a_silence_is_not_in_the_speech_behind_it():
    stretched = Segment(
        start_ms=0, end_ms=25_000, text="This", words=(Word(text="This", start_ms=0, end_ms=25_000),)
    )
    speech = (Span(start_ms=24_900, end_ms=30_000),)
    assert rules_of(cleaned(stretched, speech=speech)) == ["outside_speech"]


def test_where_nobody_listened_for_speech_nothing_is_outside_it():
    assert cleaned(sentence("Hello there."), speech=()).removed == ()


# Impossible rates.


@pytest.mark.parametrize("language", GOOD)
def test_a_sentence_crammed_into_a_moment_goes(language):
    found = cleaned(
        sentence(GOOD[language], each_ms=40, language=language, probability=0.5), language=language
    )
    assert (texts(found), rules_of(found)) == ([], ["speech_rate"])
    assert "letters a second, where 40 can be said" in found.removed[0].reason


@pytest.mark.parametrize(("language", "each_ms"), [("en", 130), ("hi", 220), ("ja", 220), ("ta", 260)])
def test_a_fast_speaker_is_heard(language, each_ms):
    found = cleaned(sentence(GOOD[language], each_ms=each_ms, language=language), language=language)
    assert found.removed == ()


def test_a_crammed_sentence_that_the_recogniser_is_sure_of_stays_and_is_told_of():
    said = sentence(GOOD["en"], each_ms=60, probability=0.97)
    found = cleaned(said)
    assert found.transcript.segments == (said,)
    assert "the recogniser is sure" in found.kept[0].reason


def test_a_first_word_that_takes_all_the_silence_does_not_hide_the_crammed_rest():
    crammed = sentence("is the end of this film.", start_ms=43_690, each_ms=60, probability=0.4)
    first = Word(text="This", start_ms=18_335, end_ms=43_690, probability=0.01, timed_by="cross-attention")
    whole = replace(crammed, start_ms=18_335, text=f"This {crammed.text}", words=(first, *crammed.words))
    assert rules_of(cleaned(whole)) == ["speech_rate"]


def test_an_aligner_that_gives_one_word_too_much_takes_no_sentence_away():
    # A clip of Hindi news: the sentence fits its second, but one word got most of it.
    times = [(60, 820), (820, 880), (880, 940), (940, 1_000), (1_000, 1_060), (1_060, 1_120)]
    words = tuple(
        Word(text=text, start_ms=start, end_ms=end, probability=0.5, timed_by="cross-attention")
        for text, (start, end) in zip(["बार", "में,", "भार", "मिर", "मे", "है।"], times, strict=True)
    )
    said = Segment(start_ms=60, end_ms=1_120, text="बार में, भार मिर मे है।", words=words, avg_logprob=-0.7)
    assert cleaned(said, language="hi").transcript.segments == (said,)


def test_a_short_answer_is_not_judged_by_its_rate():
    assert cleaned(sentence("Yes.", each_ms=60, probability=0.6)).removed == ()


# Low confidence.

DOUBTED = {"avg_logprob": -1.4, "probability": 0.2}


@pytest.mark.parametrize(
    ("fields", "speech", "why"),
    [
        ({"no_speech": 0.7}, IN_SPEECH, "no speech with probability 0.70"),
        ({}, (Span(start_ms=0, end_ms=FILM_MS, peak=0.55),), "VAD hardly heard speech (0.55)"),
        ({"each_ms": 90}, IN_SPEECH, "too short"),
        ({"each_ms": 2_500}, IN_SPEECH, "too long"),
        ({"probability": 0.1}, IN_SPEECH, "improbable"),
    ],
)
def test_what_the_recogniser_doubts_goes_where_a_second_witness_does_too(fields, speech, why):
    found = cleaned(sentence("Oh man!", **(DOUBTED | fields)), speech=speech)
    assert rules_of(found) == ["low_confidence"]
    assert why in found.removed[0].reason


@pytest.mark.parametrize(
    "fields",
    [
        DOUBTED,
        {"no_speech": 0.9},
        {"no_speech": 0.9, "avg_logprob": -1.4, "probability": 0.8},
        {"no_speech": 0.9, "avg_logprob": -0.4, "probability": 0.2},
    ],
)
def test_one_witness_alone_takes_nothing_away(fields):
    assert cleaned(sentence("यहाँ कोई नहीं है।", language="hi", **fields), language="hi").removed == ()


def test_the_score_of_an_aligner_is_not_the_recognisers_probability():
    said = sentence("Go on then.", probability=0.2, avg_logprob=-0.3, no_speech=0.9)
    timed = replace(said, words=tuple(replace(word, timed_by="wav2vec2") for word in said.words))
    assert cleaned(timed).removed == ()


# Switches.

BAD = {
    "loops": (sentence("no. " * 30, each_ms=30), IN_SPEECH),
    "credits": (sentence("Please subscribe.", no_speech=0.9), IN_SPEECH),
    "outside_speech": (sentence("Hello there."), (Span(start_ms=300_000, end_ms=310_000),)),
    "speech_rate": (sentence(GOOD["en"], each_ms=40, probability=0.5), IN_SPEECH),
    "low_confidence": (sentence("Oh man!", no_speech=0.9, **DOUBTED), IN_SPEECH),
}


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_can_be_switched_off_alone(rule):
    said, speech = BAD[rule]
    others = {name: name == rule for name in RULES}
    assert rules_of(cleaned(said, speech=speech, **others)) == [rule]
    found = cleaned(said, speech=speech, **{name: name != rule for name in RULES})
    assert rule not in rules_of(found)
    off = cleaned(said, speech=speech, **dict.fromkeys(RULES, False))
    assert off.transcript.segments == (said,)
    assert (off.removed, off.kept) == ((), ())


def test_removals_come_in_the_order_of_time_each_with_its_reason_and_text():
    found = cleaned(
        sentence("no. " * 30, start_ms=50_000, each_ms=30),
        sentence("Hello there.", start_ms=80_000),
        sentence("Oh man!", start_ms=90_000, no_speech=0.9, **DOUBTED),
    )
    assert rules_of(found) == ["loops", "low_confidence"]
    assert texts(found) == ["no.", "Hello there."]
    assert all(
        removal.reason and removal.text and removal.start_ms < removal.end_ms for removal in found.removed
    )


# A film in several languages.


def in_two_languages(**japanese: Any) -> tuple[Segment, Segment, Segment]:
    """Return an English sentence, a Japanese one, and an English one."""
    second = sentence("明日 の 朝 駅 で 会い ましょう。", start_ms=30_000, language="ja", **japanese)
    return (
        sentence(GOOD["en"], start_ms=10_000),
        replace(second, language="ja"),
        sentence("They met on the hill before noon.", start_ms=50_000),
    )


def test_every_sentence_keeps_its_language_and_its_place():
    said = in_two_languages()
    found = cleaned(*said)
    assert found.transcript.segments == said
    assert (found.removed, found.kept) == ((), ())


@pytest.mark.parametrize("has_words", [True, False])
def test_what_loses_words_is_written_as_its_own_language_is(has_words):
    first, _, third = in_two_languages()
    loop = sentence(" ".join(["駅 で 会い ましょう。"] * 20), start_ms=30_000, each_ms=40, language="ja")
    loop = replace(loop, language="ja", words=loop.words if has_words else ())
    left = cleaned(first, loop, third).transcript.segments
    assert (left[0], left[-1]) == (first, third)
    assert [(segment.text, segment.language) for segment in left[1:-1]] == [("駅で会いましょう。", "ja")]


def test_credits_of_another_language_go_and_the_others_stay():
    first, _, third = in_two_languages()
    credit = replace(
        sentence("ご視聴 ありがとう ございました。", start_ms=30_000, language="ja"), language="ja"
    )
    speech = (Span(start_ms=9_000, end_ms=25_000, peak=0.99), Span(start_ms=49_000, end_ms=60_000, peak=0.99))
    found = cleaned(first, credit, third, speech=speech)
    assert found.transcript.segments == (first, third)
    assert (rules_of(found), found.removed[0].text) == (["credits"], credit.text)


def test_a_sentence_without_words_stays_as_it_is():
    first, second, third = in_two_languages()
    bare = replace(second, words=(), text="明日の朝駅で会いましょう。")
    assert cleaned(first, bare, third).transcript.segments == (first, bare, third)
