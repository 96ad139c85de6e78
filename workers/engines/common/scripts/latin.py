"""Words in scripts of India as people write them in Latin letters: no accents, silent vowels left out. Pure.

What was measured, and why the rules are our own: docs/adr/0032-script-by-choice.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from workers.engines.common.scripts.everyday import EVERYDAY
from workers.engines.common.scripts.indic import Unit, to_devanagari, units_of
from workers.engines.common.scripts.schwa import without_silent

__all__ = ["ROMANISED", "romanise"]

_SILENT = frozenset({"hi", "mr", "ne", "mai", "gom", "brx", "doi", "gu", "pa", "ks", "sd", "ur", "bn", "as"})
"""Languages that leave vowels out; in the others each consonant keeps its own."""
_LONG = _SILENT - {"bn", "as"}
_SOUTHERN = frozenset({"te", "kn", "ml"})
ROMANISED = _SILENT | _SOUTHERN | {"ta", "or", "sa", "mni"}
"""Languages whose words `romanise` writes."""

_CONSONANTS = dict(
    zip(
        "क ख ग घ ङ च छ ज झ ञ ट ठ ड ढ ण त थ द ध न ऩ प फ ब भ म य र ऱ ल ळ ऴ व श ष स ह".split(),
        "k kh g gh n ch chh j jh n t th d dh n t th d dh n n p f b bh m y r r l l zh v sh sh s h".split(),
        strict=True,
    )
) | {"क\u093c": "q", "ज\u093c": "z"}
_VOWELS = dict(
    zip(
        "अ आ इ ई उ ऊ ऋ ॠ ऌ ऍ ऎ ए ऐ ऑ ऒ ओ औ".split(),
        "a a i i u u ri ri lri e e e ai o o o au".split(),
        strict=True,
    )
)
_BENGALI = {"अ": "o", "ऐ": "oi", "औ": "ou", "य": "j", "य\u093c": "y", "व": "b"}
_ORIYA = {"य": "j", "य\u093c": "y"}
_MALAYALAM = {"त": "th", "थ": "th", "फ": "ph"}
_SPECIAL = {"bn": _BENGALI, "as": {**_BENGALI, "व": "w"}, "mni": _BENGALI, "or": _ORIYA, "ml": _MALAYALAM}
_LABIALS = frozenset("पफबभम")
_NASALS = frozenset("ङञणनऩम")
_TAMIL_SOFT = {"क": "g", "ट": "d", "प": "b"}
# Spellings that two letters in a row have together.
_JOINED = (
    (re.compile("jn(?=[aeiou]|$)"), "gy", "ज\u094dञ"),
    (re.compile("chchh?"), "cch", "च\u094d"),
    (re.compile("sv"), "sw", "स\u094dव"),
)
_ASPIRATE_TWICE = re.compile("([kgtdpb])h\\1h")
_CLOSED = re.compile("([bcdfghjklmnpqrstvwyz]+)([ai])([bcdfghjklmnpqrstvwyz]+)")
_GLIDE = re.compile("i(?=e$)")


def romanise(word: str, language: str) -> str:
    """Return the word of a language in a script of India in small Latin letters."""
    written = to_devanagari(word)
    if language == "hi" and written in EVERYDAY:
        return EVERYDAY[written]
    if language == "ta":
        return _tamil(units_of(written))
    units = units_of(written)
    said = without_silent(units) if language in _SILENT else units
    special = _SPECIAL.get(language, {})
    spelt = "".join(_spelt(said, place, language, special) for place in range(len(said)))
    return _as_usual(spelt, written, language)


def _spelt(units: Sequence[Unit], place: int, language: str, special: dict[str, str]) -> str:
    unit = units[place]
    following = units[place + 1].consonant[:1] if place + 1 < len(units) else ""
    consonant = special.get(unit.consonant) or _CONSONANTS.get(unit.consonant) or _plain(unit.consonant)
    vowel = special.get(unit.vowel) or _VOWELS.get(unit.vowel, "")
    if unit.vowel == "आ" and not unit.consonant and place == 0 and language in _LONG:
        vowel = "aa"
    if unit.vowel == "ए" and not unit.consonant and place and units[place - 1].vowel == "आ":
        vowel = "ye"
    return consonant + vowel + _nasal(unit.sign, following, language)


def _plain(consonant: str) -> str:
    """Return the letters of a consonant whose dot changes nothing that Latin letters show."""
    return _CONSONANTS.get(consonant[:1], "")


def _nasal(sign: str, following: str, language: str) -> str:
    if not sign:
        return ""
    if sign == "\u0903":
        return "h"
    is_m = following in _LABIALS if following else language in _SOUTHERN or language == "sa"
    return "m" if is_m else "n"


def _as_usual(spelt: str, written: str, language: str) -> str:
    for pattern, usual, letters in _JOINED:
        if letters in written:
            spelt = pattern.sub(usual, spelt)
    spelt = _ASPIRATE_TWICE.sub(r"\1\1h", spelt)
    if language in _SILENT:
        # One syllable with a long vowel: `kaam`, `theek`.
        if language in _LONG and (closed := _CLOSED.fullmatch(spelt)):
            long = {"\u093e": "aa", "\u0940": "ee"}
            vowel = next((long[sign] for sign in written if sign in long), closed[2])
            spelt = f"{closed[1]}{vowel}{closed[3]}"
        spelt = _GLIDE.sub("iy", spelt)
    if language == "hi" and written.endswith("में"):
        # With the word before it: `usmein`.
        spelt = spelt.removesuffix("men") + "mein"
    return spelt


def _tamil(units: Sequence[Unit]) -> str:
    """Return a Tamil word: its plosives have one letter each, and sound by what stands beside them."""
    return "".join(
        _tamil_sound(units, place) + _VOWELS.get(unit.vowel, "") for place, unit in enumerate(units)
    )


def _tamil_sound(units: Sequence[Unit], place: int) -> str:
    letter = units[place].consonant
    before = units[place - 1] if place else Unit()
    after = units[place + 1].consonant if place + 1 < len(units) and not units[place].vowel else ""
    follows_nasal = not before.vowel and before.consonant in _NASALS
    between = bool(before.vowel)
    if letter == "ऱ":
        return _tamil_r(before, after)
    if letter == "च":
        return _tamil_c(before, after)
    if letter == "त":
        return "t" if after == "त" else "th"
    if letter in _TAMIL_SOFT and after != letter and (follows_nasal or between):
        return _TAMIL_SOFT[letter]
    return _CONSONANTS.get(letter) or _plain(letter)


def _tamil_c(before: Unit, after: str) -> str:
    if after == "च":
        return "c"
    if not before.vowel and before.consonant in _NASALS:
        return "j"
    # The first of two is the `c` of `ch`.
    return "h" if not before.vowel and before.consonant == "च" else "s"


def _tamil_r(before: Unit, after: str) -> str:
    if after == "ऱ":
        return "t"
    return "dr" if not before.vowel and before.consonant in ("न", "ऩ") else "r"
