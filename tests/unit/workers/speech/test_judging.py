"""Speech or silence, loops, scripts, and the language vote."""

from __future__ import annotations

import pytest

from workers.speech.judging import (
    MENDABLE,
    Guess,
    is_doubtful,
    is_echo,
    is_silence,
    repetition,
    same_words,
    vote,
    worth_of,
)
from workers.text.scripts import in_script

HINDI = "हरियाणा सरकार ने कुरुक्षेत्र के पिपली को एक विश्व स्तरीय पर्यटन केन्द्र के रूप में विकसित करने का निर्णय लिया है"


def guess(
    text: str = "He began.", *, logprob: float = -0.2, no_speech: float = 0.0, cut: bool = False
) -> Guess:
    return Guess(text=text, avg_logprob=logprob, no_speech=no_speech, cut_short=cut)


def test_the_language_is_what_the_windows_say_together_not_the_first() -> None:
    language, probability = vote([{"en": 0.9, "hi": 0.1}, {"hi": 0.95, "en": 0.05}, {"hi": 0.8, "ur": 0.2}])
    assert language == "hi"
    assert probability == pytest.approx((0.1 + 0.95 + 0.8) / 3)


@pytest.mark.parametrize(
    ("found", "peak", "silent"),
    [
        (guess("Oh, my God!", logprob=-1.35, no_speech=0.71), 0.99, True),
        (guess("AHH!", logprob=-1.35, no_speech=0.2), 0.52, True),
        (guess("Stop!", logprob=-1.35, no_speech=0.2), 0.99, False),
        (guess("Stop!", logprob=-0.3, no_speech=0.2), 0.52, False),
        (guess("...", logprob=-0.3), 0.99, True),
    ],
)
def test_two_of_three_witnesses_make_silence(found: Guess, peak: float, silent: bool) -> None:
    assert is_silence(found, peak) is silent


def test_plain_hindi_is_no_loop_and_a_loop_is_one_in_any_script() -> None:
    assert repetition(HINDI) < 2.4
    assert not is_doubtful(guess(HINDI), "hi")
    assert is_doubtful(guess("पाही " * 40), "hi")
    assert is_doubtful(guess("thank you " * 20), "en")
    assert repetition("") == 0.0


def test_hindi_in_latin_letters_is_doubtful_but_a_latin_name_in_it_is_not() -> None:
    assert is_doubtful(guess("shimodi ki saudiye yatra hai"), "hi")
    assert in_script("यह COVID है और बहुत बड़ी बात है", "hi")
    assert in_script("anything", "de")
    assert in_script("1984", "hi")


def test_what_is_improbable_or_cut_short_is_doubtful() -> None:
    assert is_doubtful(guess(logprob=-1.1), "en")
    assert is_doubtful(guess(cut=True), "en")
    assert not is_doubtful(guess(), "en")


def test_a_prompt_that_comes_out_as_text_is_recognised() -> None:
    assert is_echo("यह है।", "यह हिन्दी में है।")
    assert not is_echo("यह यात्रा है।", "यह हिन्दी में है।")
    assert not is_echo("यह है।", None)


def test_a_source_given_back_is_recognised_whatever_its_punctuation() -> None:
    assert same_words("Jeden, der diese  Software", "jeden der diese Software.")
    assert not same_words("everyone", "jeden")


@pytest.mark.parametrize(
    ("found", "silent"),
    [
        (guess("Oh, my God!", logprob=-1.35, no_speech=0.2), True),
        (guess("Stop!", logprob=-0.3, no_speech=0.2), False),
        (guess("Stop!", logprob=-0.3, no_speech=0.7), False),
    ],
)
def test_where_no_vad_has_listened_an_improbable_text_is_silence(found: Guess, silent: bool) -> None:
    assert is_silence(found, None) is silent


def test_of_two_guesses_the_right_script_is_worth_most_then_no_loop_then_probability() -> None:
    good, poor = guess(HINDI, logprob=-0.9), guess(HINDI, logprob=-2.0)
    loop, latin = guess("पाही " * 40, logprob=-0.1), guess("shimodi ki saudiye", logprob=-0.1)
    worths = [worth_of(candidate, "hi", None) for candidate in (good, poor, loop, latin)]
    assert worths == sorted(worths, reverse=True)
    assert worths[1] > MENDABLE > worths[2]
    assert worth_of(good, "hi", HINDI) < MENDABLE
