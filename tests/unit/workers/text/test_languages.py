"""Which language a text is told to be in, and which lines are in another than they should be."""

from __future__ import annotations

import pytest

from protocol.languages import every_language
from tests.labelled.by_language import hindi_in_latin, language_lines
from workers.text.languages.stretches import Line, blocks_of, foreign_in, main_language
from workers.text.languages.telling import ToldLanguage, bare_words, is_in_latin, is_other, tell

ENGLISH = "We have to leave the house before the sun comes up."
GERMAN = "Wir müssen das Haus verlassen, bevor die Sonne aufgeht."
HINDI = "हमें सूरज निकलने से पहले घर छोड़ना होगा, समझे तुम?"
GUJARATI = "આપણે સૂરજ ઊગે તે પહેલાં ઘર છોડવું પડશે, સમજ્યો?"


def by_words(text):
    """Judge by a few words, as surely as they are many in the text."""
    signs = {"en": {"we", "the", "to"}, "de": {"wir", "das", "die"}, "hi": {"हमें", "से"}}
    words = text.lower().split()
    counts = {code: sum(word in own for word in words) for code, own in signs.items()}
    total = sum(counts.values()) or 1
    return sorted(((code, count / total) for code, count in counts.items()), key=lambda pair: -pair[1])


def never(text):
    pytest.fail(f"nobody need judge {text!r}")


def lines(*texts, language="en"):
    return [Line(place=place, text=text, language=language) for place, text in enumerate(texts)]


def found(*texts, language="en"):
    return [
        (stretch.places, stretch.language, stretch.instead_of)
        for stretch in foreign_in(lines(*texts, language=language), by_words)
    ]


def test_a_script_of_one_language_decides_by_itself():
    assert tell(GUJARATI, never) == ToldLanguage(language="gu", probability=1.0)
    assert tell("日本へ行きました。", never).language == "ja"


def test_of_a_script_of_several_languages_the_model_decides():
    assert tell(HINDI, by_words).language == "hi"
    assert tell(HINDI, lambda _: [("mr", 0.9)]).language == "mr"
    # What is not written in Devanagari is not what the text is in.
    assert tell(HINDI, lambda _: [("en", 0.6), ("hi", 0.55)]).language == "hi"


@pytest.mark.parametrize("text", ["", "...", "♪ ♪", "1984 - 2026", "Okay!", "<i>John</i>", "हाँ"])
def test_of_a_short_text_nothing_is_told(text):
    assert tell(text, by_words) is None


def test_an_unsure_model_and_a_language_that_nobody_here_knows_tell_nothing():
    assert tell(ENGLISH, lambda _: [("en", 0.4), ("fr", 0.3)]) is None
    assert tell(ENGLISH, lambda _: [("war", 0.9), ("en", 0.05)]) is None


def test_the_model_sees_words_in_one_line_without_markup_digits_and_names_in_other_scripts():
    seen = []

    def judge(text):
        seen.append(text)
        return [("hi", 1.0)]

    tell("{\\an8}<i>मैं 1984 में</i>\nLondon गया था, http://a.example/b\nऔर फिर लौट आया।", judge)
    assert seen == ["मैं में गया था और फिर लौट आया"]
    assert bare_words("GET OUT OF HERE!") == "get out of here"
    assert bare_words("Don\u2019t, he said") == "Don\u2019t he said"


def test_what_the_model_calls_otherwise_has_this_programs_code():
    known = {language.code for language in every_language()}
    for label, text, code in (("jv", ENGLISH, "jw"), ("arz", "ق" * 30, "ar"), ("wuu", "我们" * 9, "zh")):
        told = tell(text, lambda _, label=label: [(label, 0.9)])
        assert told.language == code
        assert code in known


@pytest.mark.parametrize(
    ("told", "meant", "is_wrong"),
    [
        ("en", "hi", True),
        ("hi", "en", True),
        ("hi", "hi", False),
        ("nn", "no", False),
        ("hr", "sr", False),
        ("hi", "mai", False),
        ("en", "mai", True),
        ("hi", "doi", False),
        ("ur", "hi", True),
        ("hi", "hi-Latn", False),
        ("en", "hi-Latn", True),
        ("ur", "pa-Arab", False),
        ("hi", "ur-Deva", False),
        ("gu", "ur-Deva", True),
        ("es", "pt", True),
    ],
)
def test_which_languages_are_others(told, meant, is_wrong):
    assert is_other(ToldLanguage(language=told, probability=0.95), meant) is is_wrong


def test_hindi_in_latin_letters_is_not_judged_unless_it_is_surely_english():
    assert not is_other(ToldLanguage(language="en", probability=0.7), "hi")
    assert is_other(ToldLanguage(language="en", probability=0.9), "hi")
    assert is_in_latin(hindi_in_latin()[0], "hi")
    assert not is_in_latin(HINDI, "hi")
    assert not is_in_latin(ENGLISH, "de")


def test_blocks_have_200_characters_and_go_over_no_change_of_language():
    many = [*lines(*[ENGLISH] * 9), *lines(*[GERMAN] * 2, language="de")]
    blocks = list(blocks_of(many))
    assert [len(block) for block in blocks] == [4, 5, 2]
    assert [line for block in blocks for line in block] == many
    assert list(blocks_of([])) == []


def test_a_stretch_in_another_language_is_found_line_by_line():
    assert found(*[ENGLISH] * 7, *[GERMAN] * 5, *[ENGLISH] * 9) == [((7, 8, 9, 10, 11), "de", "en")]
    assert found(*[HINDI] * 5, *[ENGLISH] * 9) == [((0, 1, 2, 3, 4), "hi", "en")]
    assert found(*[ENGLISH] * 4, language="de") == [((0, 1, 2, 3), "en", "de")]


def test_one_line_in_another_language_is_no_fault():
    assert found(*[ENGLISH] * 6, GERMAN, *[ENGLISH] * 6) == []
    assert found(*[ENGLISH] * 6, " ".join([GERMAN] * 6), *[ENGLISH] * 6) == []
    assert found(*[ENGLISH] * 20) == []
    # Where there is no other line, it is all that there is.
    assert found(GERMAN) == [((0,), "de", "en")]


def test_a_line_that_says_its_own_language_is_held_to_it():
    marked = [*lines(*[ENGLISH] * 6), *lines(*[GERMAN] * 6, language="de")]
    assert foreign_in(marked, by_words) == ()


def test_the_language_of_most_of_a_text_is_its_main_one():
    assert main_language(lines(*[ENGLISH] * 9, *[GERMAN] * 4, language=""), by_words) == "en"
    assert main_language(lines("♪", "1984", language=""), by_words) == ""


def test_labelled_lines_name_languages_that_there_are():
    codes = {language.code for language in every_language()} | {""}
    assert {language for language, _ in language_lines()} <= codes
