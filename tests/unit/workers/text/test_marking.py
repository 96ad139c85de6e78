"""What is marked as doubtful in a translation."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest

from tests.conftest import Figure
from tests.data import data
from workers.text.checks.marking import marks_of
from workers.text.scripts import SCRIPTS, in_script

LONG = "We were on our way home when it began to rain."
SAMPLES = {
    "as": "আমি ঘৰলৈ যাম",
    "bn": "আমি বাড়ি যাব",
    "brx": "आं न'आव थांगोन",
    "doi": "मैं घर जांगा",
    "gom": "हांव घरा वतलों",
    "gu": "હું ઘરે જઈશ",
    "hi": "मैं घर जाऊँगा",
    "kn": "ನಾನು ಮನೆಗೆ ಹೋಗುತ್ತೇನೆ",
    "kok": "हांव घरा वतलों",
    "ks": "بہٕ گژھٕ گرٕ",
    "mai": "हम घर जायब",
    "ml": "ഞാൻ വീട്ടിൽ പോകും",
    "mni": "ꯑꯩ ꯌꯨꯝꯗ ꯆꯠꯀꯅꯤ",
    "mr": "मी घरी जाईन",
    "ne": "म घर जान्छु",
    "or": "ମୁଁ ଘରକୁ ଯିବି",
    "pa": "ਮੈਂ ਘਰ ਜਾਵਾਂਗਾ",
    "sa": "अहं गृहं गमिष्यामि",
    "sat": "ᱤᱧ ᱚᱲᱟᱜ ᱪᱟᱞᱟᱜᱼᱟ",
    "sd": "مان گهر ويندس",
    "si": "මම ගෙදර යනවා",
    "ta": "நான் வீட்டிற்குச் செல்வேன்",
    "te": "నేను ఇంటికి వెళ్తాను",
    "ur": "میں گھر جاؤں گا",
    "th": "ฉันจะกลับบ้าน",
    "lo": "ຂ້ອຍຈະກັບບ້ານ",
    "km": "ខ្ញុំនឹងទៅផ្ទះ",
    "my": "ကျွန်တော် အိမ်ပြန်မယ်",
    "bo": "ང་ནང་ལ་འགྲོ",
    "ja": "私は家に帰ります",
    "zh": "我要回家",
    "ko": "나는 집에 갈 거야",
    "ka": "სახლში წავალ",
    "hy": "Ես տուն կգնամ",
    "he": "אני אלך הביתה",
    "el": "Θα πάω σπίτι",
    "am": "ወደ ቤት እሄዳለሁ",
    "ru": "Я пойду домой",
    "pt": "Eu vou para casa",
}


@pytest.mark.parametrize("language", SAMPLES)
def test_a_text_in_its_languages_script_has_no_mark(language: str) -> None:
    assert marks_of("I will go home soon", SAMPLES[language], "en", language) == ()


@pytest.mark.parametrize("language", SAMPLES)
def test_a_text_in_the_wrong_script_is_marked(language: str) -> None:
    wrong = SAMPLES["ta"] if language != "ta" else SAMPLES["hi"]
    assert marks_of("I will go home soon", wrong, "en", language) == ("wrong-script",)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("mni", "ঐ য়ুমদা চৎকনি"),
        ("ks", "ब गछ़ॖ गरॖ"),
        ("sd", "मां घरि वेंदुसि"),
        ("sr", "Idem kući"),
        ("sr", "Идем кући"),
    ],
)
def test_every_script_of_a_language_is_taken(language: str, text: str) -> None:
    assert in_script(text, language)


@pytest.mark.parametrize(("script", "marks"), [("Arab", ("wrong-script",)), ("Deva", ()), ("", ())])
def test_the_script_that_was_asked_for_goes_before_the_languages_others(
    script: str, marks: tuple[str, ...]
) -> None:
    assert marks_of("I will go home", "मां घरि वेंदुसि", "en", "sd", script) == marks


def test_every_language_of_indictrans2_has_its_script() -> None:
    scheduled = "as bn brx doi gom gu hi kn ks mai ml mni mr ne or pa sa sat sd ta te ur"
    assert set(scheduled.split()) <= SCRIPTS.keys()


@pytest.mark.parametrize(
    ("source", "translated", "marks"),
    [
        (LONG, LONG, ("untranslated",)),
        (LONG, LONG.upper().replace(".", " !"), ("untranslated",)),
        ("yes, please", "Yes please.", ("untranslated",)),
        ("Barack Obama", "Barack Obama", ()),
        ("Maria Silva Santos.", "Maria Silva Santos", ()),
        ("NASA", "NASA", ()),
        ("1984, 1985, 1986 & 1987", "1984, 1985, 1986 & 1987", ()),
        ("OK.", "OK", ()),
        (LONG, "Estávamos a caminho de casa quando começou a chover.", ()),
    ],
)
def test_what_comes_back_as_it_was_is_marked_unless_it_may_be_a_name(
    source: str, translated: str, marks: tuple[str, ...]
) -> None:
    assert marks_of(source, translated, "en", "pt") == marks


def test_a_name_kept_in_latin_letters_is_no_wrong_script_but_a_sentence_is() -> None:
    assert marks_of("Barack Obama", "Barack Obama", "en", "hi") == ()
    assert marks_of(LONG, LONG, "en", "hi") == ("untranslated", "wrong-script")
    assert marks_of(SAMPLES["hi"], "Hello", "hi", "ta") == ("wrong-script",)


def test_indic_vowel_signs_make_a_different_text() -> None:
    assert marks_of("मैं घर जाता हूँ आज", "मैं घर जाती हूँ आज", "hi", "mr") == ()
    assert marks_of("मैं घर जाता हूँ आज", "मैं घर जाता हूँ, आज।", "hi", "mr") == ("untranslated",)


@pytest.mark.parametrize("translated", ["", "  ", "...", "- ()", "♪"])
def test_a_translation_without_a_word_is_empty(translated: str) -> None:
    assert marks_of(LONG, translated, "en", "hi") == ("empty",)


def test_what_has_nothing_to_be_spoken_may_stay_so() -> None:
    assert marks_of("…", "…", "en", "hi") == ()


@pytest.mark.parametrize(
    ("source", "translated", "language", "marks"),
    [
        ("Yes.", "É claro, senhor.", "pt", ()),
        ("Yes.", "Sim, e depois fomos todos para casa.", "pt", ("length",)),
        (LONG * 2, "Chovia em casa.", "pt", ("length",)),
        (LONG, "回家路上下起了雨。", "zh", ()),
        (LONG, "雨", "zh", ("length",)),
        (LONG, "não é " * 9, "pt", ("loop",)),
        (LONG, "hahaha" * 9, "pt", ("loop",)),
        (LONG, "घर " * 9, "hi", ("loop",)),
        ("No, no, no, no!", "Não, não, não, não!", "pt", ()),
        ("ha ha ha ha ha ha ha ha ha ha", "ha ha ha ha ha ha ha ha ha ah", "pt", ()),
    ],
)
def test_a_length_out_of_proportion_and_a_loop_are_marked(
    source: str, translated: str, language: str, marks: tuple[str, ...]
) -> None:
    assert marks_of(source, translated, "en", language) == marks


@pytest.mark.parametrize(
    ("source", "translated", "marks"),
    [
        ("No! " * 6, "Não! " * 6, ()),
        ("No. No. No. No. No. No.", "Não, não, não, não, não, não.", ()),
        ("No! No!", "Não! " * 12, ("length", "loop")),
        ("hahaha" * 9, "hahaha" * 9, ()),
    ],
)
def test_a_translation_repeats_itself_as_often_as_its_source(
    source: str, translated: str, marks: tuple[str, ...]
) -> None:
    assert marks_of(source, translated, "en", "pt") == marks


BOTH = ("untranslated", "wrong-script")


@pytest.mark.parametrize(
    ("text", "pair", "marks"),
    [
        ("मुझे नहीं पता", "hi-en", BOTH),
        ("知りません", "ja-en", BOTH),
        ("我不知道", "zh-en", BOTH),
        ("لا أعرف", "ar-en", BOTH),
        ("मोदी", "hi-en", BOTH),
        ("ไม่รู้", "th-en", BOTH),
        ("Я не знаю", "ru-en", BOTH),
        ("मुझे पता", "hi-mr", ("untranslated",)),
        ("मोदी", "hi-mr", ()),
        ("我不知道", "zh-ja", ("untranslated",)),
        ("東京", "ja-zh", ()),
        ("Maria Silva", "pt-en", ()),
        ("2024", "hi-en", ()),
    ],
)
def test_a_text_that_comes_back_is_marked_in_any_script(text: str, pair: str, marks: tuple[str, ...]) -> None:
    assert marks_of(text, text, *pair.split("-")) == marks


def test_a_word_of_the_sources_script_that_is_left_is_marked() -> None:
    assert marks_of("उसने कहा नहीं", "He said नहीं", "hi", "en") == ("wrong-script",)
    assert marks_of("She works for NASA.", "वह NASA में काम करती है।", "en", "hi") == ()


def test_a_sentence_that_mostly_comes_back_is_marked_unless_the_languages_are_alike() -> None:
    source = "we were all going to the small house by the river"
    assert marks_of(source, source.replace("small", "pequena"), "en", "pt") == ("untranslated",)
    danish, norwegian = "jeg har ikke set ham i dag eller i går", "jeg har ikke sett ham i dag eller i går"
    assert marks_of(danish, norwegian, "da", "no") == ()


LANGUAGES = {"en": "eng", "hi": "hin", "gu": "guj", "ta": "tam", "te": "tel", "ur": "urd", "pt": "por"}
EVERY = 4
"""Of each pair every fourth line is checked here, others in every pair, which takes seconds.

All 42 pairs whole: 124 marks on 42,504 lines, 0.29 %. 116 are `numbers`: at most 7 of 1,012 lines a pair
(Portuguese and Tamil), a third of them in four lines that give feet in metres or leave a year out. 6 are
`wrong-script`: a Telugu line that is mostly English names. 2 are `length`: the last Telugu line leaves out
half of what the Urdu one says.
"""


def test_people_who_translate_are_hardly_marked(figure: Figure) -> None:
    lines = {
        language: data(f"mt/flores200.{code}.devtest").read_text(encoding="utf-8").splitlines()
        for language, code in LANGUAGES.items()
    }
    checked, found = 0, Counter[str]()
    for place, (one, two) in enumerate(itertools.permutations(lines, 2)):
        pairs = list(zip(lines[one], lines[two], strict=True))[place % EVERY :: EVERY]
        checked += len(pairs)
        kinds = Counter(mark for source, text in pairs for mark in marks_of(source, text, one, two))
        assert all(count <= 4 for count in kinds.values()), (one, two, kinds)
        found += kinds
    figure(f"marks on {checked} lines of 42 pairs translated by people: {dict(found)}")
    assert found.keys() <= {"numbers", "wrong-script", "length"}
    assert all(count <= 0.005 * checked for count in found.values())


def test_half_a_sentence_is_found_among_people_who_translate() -> None:
    one, two = (
        data(f"mt/flores200.{code}.devtest").read_text(encoding="utf-8").splitlines()[1011]
        for code in ("urd", "tel")
    )
    assert marks_of(one, two, "ur", "te") == ("length",)
