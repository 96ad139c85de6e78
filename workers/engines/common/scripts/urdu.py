"""Hindi and Urdu words from Arabic script to Devanagari and back. Pure.

Spoken they are one language. From Devanagari the way is sure but for letters that sound alike. Back it is a
guess: short vowels are not written, and one letter stands for v, o, u and au.
docs/adr/0032-script-by-choice.md says how many words come right.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from workers.engines.common.scripts.indic import SCHWA, Unit, units_of
from workers.engines.common.scripts.urdu_words import TO_ARABIC, TO_DEVANAGARI

__all__ = ["arabic_of", "devanagari_of"]


def _pairs(left: str, right: str) -> dict[str, str]:
    return dict(zip(left.split(), right.split(), strict=True))


_CONSONANTS = _pairs(
    "ب پ ت ٹ ث ج چ ح خ د ڈ ذ ر ڑ ز ژ س ش ص ض ط ظ غ ف ق ک گ ل م ن ہ",
    "ब प त ट स ज च ह ख द ड ज़ र ड़ ज़ झ स श स ज़ त ज़ ग फ़ क क ग ल म न ह",
)
_BREATHED = _pairs("ک گ چ ج ٹ ڈ ت د پ ب ڑ", "ख घ छ झ ठ ढ थ ध फ भ ढ़")
_ALIKE = str.maketrans("يىكهۀۂةأإٱ", "ییکہہہہااا", "\u0640\u200c\u200d\u0652\u064e\u0654\u0670")
_SHORT = {"\u0650": "ि", "\u064f": "ु", "\u0651": ""}
_BREATH, _NASAL, _VOWELS = "ھ", "ں", frozenset("اآویےئؤ")
_VOICED = frozenset("دڈگجٹ")
_VIRAMA, _ANUSVARA = "\u094d", "\u0902"


class _Reading:
    """One word in Arabic script, from its first letter to its last."""

    def __init__(self, word: str) -> None:
        self.letters = word
        self.place = 0
        self.found: list[str] = []
        self.is_open = False
        """Whether the last sign is a consonant that can take a vowel."""

    @property
    def letter(self) -> str:
        """Return the letter that is read now."""
        return self.letters[self.place]

    @property
    def next(self) -> str:
        """Return the letter after this one; empty at the end."""
        return self.letters[self.place + 1 : self.place + 2]

    def take(self, text: str, *, is_open: bool = False, letters: int = 1) -> None:
        """Write what stands for so many letters."""
        self.found.append(text)
        self.is_open = is_open
        self.place += letters

    def vowel(self, sign: str, letter: str, letters: int = 1) -> None:
        """Write a vowel: its sign on a consonant, its letter where there is none."""
        self.take(sign if self.is_open else letter, letters=letters)


def devanagari_of(word: str) -> str:
    """Return a word in Arabic script as Hindi writes it, as well as letters alone tell it."""
    plain = unicodedata.normalize("NFC", word).translate(_ALIKE)
    if plain in TO_DEVANAGARI:
        return TO_DEVANAGARI[plain]
    reading = _Reading(plain)
    while reading.place < len(plain):
        _READ.get(reading.letter, _consonant)(reading)
    return "".join(reading.found)


def _consonant(reading: _Reading) -> None:
    letter = reading.letter
    if letter in _SHORT:
        reading.take(_SHORT[letter])
        return
    if letter not in _CONSONANTS:
        reading.take(letter)
    elif reading.next == _BREATH:
        breathed = _BREATHED.get(letter) or f"{_CONSONANTS[letter]}{_VIRAMA}ह"
        reading.take(breathed, is_open=True, letters=2)
    elif letter == "ہ" and not reading.next and reading.is_open and reading.place > 1:
        reading.take("ा")
    elif letter == "ن" and reading.next in _VOICED and reading.next and reading.place:
        reading.take(_ANUSVARA)
    else:
        reading.take(_CONSONANTS[letter], is_open=True)


def _alif(reading: _Reading) -> None:
    if reading.place:
        reading.vowel("ा", "ा" if reading.found and reading.found[-1] in "यव" else "आ")
    elif reading.next == "ی":
        reading.take("ए", letters=2)
    elif reading.next == "و":
        reading.take("ओ", letters=2)
    else:
        reading.take("अ")


def _ain(reading: _Reading) -> None:
    if not reading.place:
        _alif(reading) if reading.next not in ("ا", "آ") else reading.take("आ", letters=2)
    elif reading.next in _VOWELS:
        reading.take("", is_open=reading.is_open)
    else:
        reading.vowel("ा", "")


def _madda(reading: _Reading) -> None:
    reading.take("आ")


def _waw(reading: _Reading) -> None:
    if reading.is_open and (reading.next not in _VOWELS or not reading.next):
        reading.take("ो")
    else:
        reading.take("व", is_open=True)


def _yeh(reading: _Reading) -> None:
    following = reading.next
    if reading.is_open and following and following in "اوآے":
        reading.take("िय", is_open=True)
    elif reading.is_open and following:
        is_end = reading.letters[reading.place + 1 :] == _NASAL
        reading.take("े" if is_end else "ी")
    elif reading.is_open or not following:
        reading.vowel("ी", "ई")
    else:
        reading.take("य", is_open=True)


def _long_e(reading: _Reading) -> None:
    reading.vowel("े", "ए")


def _hamza(reading: _Reading) -> None:
    carried = {"ی": "ई", "ے": "ए", "و": "ओ"}
    if reading.next in carried:
        reading.take(carried[reading.next], letters=2)
    else:
        reading.take("इ" if reading.letter == "ئ" and reading.next else "")


def _waw_hamza(reading: _Reading) -> None:
    reading.take("ओ")


def _nasal(reading: _Reading) -> None:
    reading.take(_ANUSVARA)


_READ = {
    "ا": _alif,
    "آ": _madda,
    "ع": _ain,
    "و": _waw,
    "ی": _yeh,
    "ے": _long_e,
    "ئ": _hamza,
    "ء": _hamza,
    "ؤ": _waw_hamza,
    _NASAL: _nasal,
}

_ARABIC = _pairs(
    "क ख ग घ ङ च छ ज झ ञ ट ठ ड ढ ण त थ द ध न प फ ब भ म य र ल ळ व श ष स ह",
    "ک کھ گ گھ ن چ چھ ج جھ ن ٹ ٹھ ڈ ڈھ ن ت تھ د دھ ن پ ف ب بھ م ی ر ل ل و ش ش س ہ",
) | {"क़": "ق", "ख़": "خ", "ग़": "غ", "ज़": "ز", "ड़": "ڑ", "ढ़": "ڑھ", "फ़": "ف"}
_FIRST = _pairs("अ आ इ ई उ ऊ ऋ ऍ ए ऐ ऑ ओ औ", "ا آ ا ای ا او ر ا ای ای آ او او")
_INSIDE = {"आ": "ا", "ई": "ی", "ऊ": "و", "ऋ": "ر", "ऍ": "ی", "ए": "ی", "ऐ": "ی", "ऑ": "ا", "ओ": "و", "औ": "و"}
_LAST = {"इ": "ی", "उ": "و", "ए": "ے", "ऐ": "ے"}
_APART = {"इ": "ئ", "ई": "ئی", "उ": "ؤ", "ऊ": "ؤ", "ए": "ئی", "ऐ": "ئی", "ओ": "ؤ", "औ": "ؤ", "आ": "ا"}
_APART_LAST = {"ए": "ئے", "ऐ": "ئے", "इ": "ئی"}
_LABIALS = frozenset("पफबभम")


def arabic_of(word: str) -> str:
    """Return a word in Devanagari as Urdu writes it."""
    # A letter with its dot is two signs from here on.
    plain = unicodedata.normalize("NFC", word)
    if plain in TO_ARABIC:
        return TO_ARABIC[plain]
    units = units_of(plain)
    return "".join(_written(units, place) for place in range(len(units)))


def _written(units: Sequence[Unit], place: int) -> str:
    unit = units[place]
    is_last = place == len(units) - 1
    following = "" if is_last else units[place + 1].consonant
    consonant = _ARABIC.get(unit.consonant) or _ARABIC.get(unit.consonant[:1], "")
    if is_last and place and unit == Unit("य", SCHWA) and not units[place - 1].vowel:
        return "یہ"
    if unit.consonant and not unit.vowel and following[:1] and _is_long(unit.consonant, following):
        # A consonant said twice is written once.
        consonant = ""
    nasal = _nasal_of(unit.sign, following)
    return consonant + _vowel(unit, place, is_last=is_last and not unit.sign) + nasal


def _is_long(consonant: str, following: str) -> bool:
    return _ARABIC.get(following, "").startswith(_ARABIC.get(consonant, "?"))


def _vowel(unit: Unit, place: int, *, is_last: bool) -> str:
    if unit.vowel in ("", SCHWA) and unit.consonant:
        return ""
    if unit.consonant:
        return (_LAST.get(unit.vowel) if is_last else None) or _INSIDE.get(unit.vowel, "")
    if not place:
        return _FIRST.get(unit.vowel, "ا")
    return (_APART_LAST.get(unit.vowel) if is_last else None) or _APART.get(unit.vowel, "")


def _nasal_of(sign: str, following: str) -> str:
    if not sign:
        return ""
    if sign == "\u0903":
        return "ہ"
    if not following:
        return _NASAL
    return "م" if following[0] in _LABIALS else "ن"
