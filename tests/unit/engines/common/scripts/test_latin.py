"""Languages of India in Latin letters, as people write them."""

from __future__ import annotations

import pytest

from workers.engines.common.scripts import latin
from workers.engines.common.scripts.everyday import EVERYDAY
from workers.engines.common.scripts.latin import ROMANISED, romanise


def test_no_word_of_the_table_is_there_without_need(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latin, "EVERYDAY", {})
    assert [word for word, spelt in EVERYDAY.items() if romanise(word, "hi") == spelt] == []


@pytest.mark.parametrize(
    ("word", "spelt"),
    [
        ("सरकार", "sarkar"),
        ("कमल", "kamal"),
        ("अटकता", "atakta"),
        ("लड़का", "ladka"),
        ("राष्ट्र", "rashtra"),
        ("ज्ञान", "gyaan"),
        ("अच्छा", "accha"),
        ("संबंध", "sambandh"),
        ("ज़रूरत", "zarurat"),
        ("नहीं", "nahin"),
        ("में", "mein"),
        ("मैं", "main"),
        ("है", "hai"),
        ("हैं", "hain"),
        ("क्या", "kya"),
        ("आप", "aap"),
        ("काम", "kaam"),
        ("ठीक", "theek"),
        ("जाएगा", "jayega"),
        ("उसमें", "usmein"),
        ("चाहिए", "chahiye"),
    ],
)
def test_hindi_leaves_silent_vowels_out(word: str, spelt: str) -> None:
    assert romanise(word, "hi") == spelt


def test_a_letter_with_its_dot_is_one_sign_or_two() -> None:
    assert romanise("ज\u093cरा", "hi") == romanise("\u095bरा", "hi") == "zara"


@pytest.mark.parametrize(
    ("language", "word", "spelt"),
    [
        ("mr", "आपण", "aapan"),
        ("gu", "કેમ", "kem"),
        ("pa", "ਪੰਜਾਬ", "panjab"),
        ("pa", "ਮੁੱਖ", "mukkh"),
        ("bn", "কলকাতা", "kolkata"),
        ("bn", "আমি", "ami"),
        ("as", "ৰাম", "ram"),
        ("or", "କଟକ", "kataka"),
        ("ta", "தமிழ்", "thamizh"),
        ("ta", "நன்றி", "nandri"),
        ("ta", "சென்னை", "sennai"),
        ("ta", "பச்சை", "pachai"),
        ("te", "నేను", "nenu"),
        ("kn", "ನಾನು", "nanu"),
        ("ml", "അവൾ", "aval"),
        ("sa", "राम", "rama"),
    ],
)
def test_every_script_of_india_is_read(language: str, word: str, spelt: str) -> None:
    assert romanise(word, language) == spelt


@pytest.mark.parametrize("language", sorted(ROMANISED))
def test_nothing_of_a_script_is_left(language: str) -> None:
    blocks = {
        "bn": 0x980,
        "pa": 0xA00,
        "gu": 0xA80,
        "or": 0xB00,
        "ta": 0xB80,
        "te": 0xC00,
        "kn": 0xC80,
        "ml": 0xD00,
    }
    first = blocks.get(language, 0x900)
    for place in range(0x15, 0x3A):
        assert romanise(chr(first + place), language).isascii()
