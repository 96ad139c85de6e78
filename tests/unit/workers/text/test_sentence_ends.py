# ruff: noqa: RUF001 - the scripts are the subject.
"""Where sentences end, by language: labelled lines, and the same answer for cutting and translating."""

from __future__ import annotations

import pytest

from protocol.timeline import Word
from tests.labelled.lines import (
    SENTENCE_GROUPS,
    SentenceLine,
    ends_of,
    our_sentences,
    sentence_lines,
    wrong_ends,
)
from workers.engines.common.cues.cut import sentences
from workers.engines.common.cues.rules import CueRules
from workers.text.pieces import pieces_of
from workers.text.sentence_ends.rule import ends_sentence, find_ends


def cut_sentences(text: str, language: str) -> tuple[str, ...]:
    """Return the sentences that the cutter sees in a text that is said without a pause."""
    words = [
        Word(text=piece, start_ms=at * 100, end_ms=at * 100 + 100)
        for at, piece in enumerate(pieces_of(text, language))
    ]
    return sentences(words, CueRules(language=language))


@pytest.mark.parametrize("group", SENTENCE_GROUPS)
def test_no_labelled_line_is_split_elsewhere(group: str) -> None:
    wrong = [line for line in sentence_lines(group) if wrong_ends(line, our_sentences)]
    assert wrong == []


@pytest.mark.parametrize("group", SENTENCE_GROUPS)
def test_cutting_and_translating_see_the_same_sentences(group: str) -> None:
    def differs(line: SentenceLine) -> bool:
        ours, cut = (split(line.text, line.language) for split in (our_sentences, cut_sentences))
        return ends_of(ours) != ends_of(cut)

    assert [line for line in sentence_lines(group) if differs(line)] == []


def test_the_groups_are_large_enough_to_say_something() -> None:
    assert all(len(sentence_lines(group)) >= 40 for group in SENTENCE_GROUPS if group != "page")


@pytest.mark.parametrize(
    ("word", "following", "language", "ends"),
    [
        # Only one language has the abbreviation.
        ("mar.", "Hace", "es", True),
        ("Mar.", "5", "en", False),
        ("hon.", "Jag", "sv", True),
        ("Hon.", "Smith", "en", False),
        ("Max.", "Er", "de", True),
        # Words of one syllable, and initials.
        ("ạ.", "Cháu", "vi", True),
        ("Ạ.", "Cháu", "vi", True),
        ("Đ.", "Minh", "vi", False),
        ("네.", "알겠습니다", "ko", True),
        ("न.", "राय", "hi", True),
        ("क.", "मुंशी", "hi", False),
        ("А.", "С.", "ru", False),
        ("я.", "Он", "ru", True),
        ("E.", "E.", "de", False),
        ("Й.", "Гайдн", "uk", False),
        ("ד.", "לוי", "he", False),
        ("É.", "Verdade", "pt", True),
        ("É.", "Zola", "fr", False),
        ("a.", "C.", "es", False),
        # What follows decides.
        ("a.m.", "Monday", "en", False),
        ("a.m.", "Nobody", "en", True),
        ("Inc.", "My", "en", True),
        ("Inc.", "Chairman", "en", False),
        ("no.", "7", "en", False),
        ("no.", "He", "en", True),
        ("3.", "Oktober", "de", False),
        ("3.", "oktober", "da", False),
        ("3.", "Er", "de", True),
        ("1989.", "Niemand", "de", True),
        ("12.", "then", "en", True),
        # A new sentence in small letters, and a speech that goes on behind its quote.
        ("over.", "he", "en", True),
        ("over.", "он", "ru", True),
        ("Go!”", "she", "en", False),
        ("Go!”", "She", "en", True),
        ("mr.", "smith", "en", False),
        # Marks of other scripts.
        ("πας;", "Σπίτι", "el", True),
        ("መጣ።", "እሷ", "am", True),
        ("եկավ։", "Նա", "hy", True),
        ("تھا۔", "وہ", "ur", True),
        ("គាត់។", "គាត់", "km", True),
        ("တယ်။", "သူ", "my", True),
        ("བྱུང་།", "ང", "bo", True),
        # Latin words in another script.
        ("Mr.", "Bean", "hi", False),
        ("Dr.", "García", "es", False),
    ],
)
def test_the_language_and_the_neighbours_decide(word: str, following: str, language: str, ends: bool) -> None:
    assert ends_sentence(word, following, language) is ends


def test_what_stands_before_a_number_decides() -> None:
    assert find_ends(["в", "1945", "г.", "Кузнецов", "ушёл."], "ru") == [False, False, True, False, True]
    assert find_ends(["в", "г.", "Москве", "был."], "ru") == [False, False, False, True]
    assert find_ends(["5", "p.", "m.", "John", "left."], "en") == [False, False, True, False, True]
    assert find_ends(["Mozarts", "40.", "Sinfonie."], "de") == [False, False, True]
    assert find_ends(["Zum", "3.", "Mal.", "Es", "sind", "3.", "Niemand", "kam."], "de") == [
        *(False, False, True, False, False, True, False, True)
    ]


def test_letters_of_a_script_without_spaces_are_read_as_words() -> None:
    assert find_ends([*"他跑了", "3.", *"5公里", "。"], "zh")[3] is False
    assert find_ends(["ด", "ร", ".", "ส", "ม", "ชาย"], "th")[2] is False
    assert find_ends(["ค", "รั", "บ.", "ผม"], "th")[2] is True


def test_nothing_ends_without_a_mark_and_everything_ends_with_the_text() -> None:
    assert not ends_sentence("end", "Then", "en")
    assert not ends_sentence("”", "Then", "en")
    assert ends_sentence("Mr.", "", "en")
    assert find_ends([], "en") == []
