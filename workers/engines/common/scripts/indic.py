"""Words in a script of India as syllables: consonants, each with the vowel after it. Pure.

The scripts of Brahmi's family stand in Unicode in the same order, block after block of 128 signs: a word of
any of them becomes one in Devanagari by moving its signs, and is read there.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SCHWA", "Unit", "to_devanagari", "units_of"]

SCHWA = "\u0905"
"""The vowel that is not written: a consonant has it where no other vowel and no virama follows."""
_VIRAMA = "\u094d"
_NUKTA = "\u093c"
_FIRST, _BLOCK = 0x0900, 0x80
_BLOCKS = range(0x0900, 0x0D80, _BLOCK)
"""Devanagari, Bengali, Gurmukhi, Gujarati, Oriya, Tamil, Telugu, Kannada, Malayalam."""
_OTHERWISE = {
    "\u09ce": "\u0924\u094d",  # Bengali khanda ta
    "\u09f0": "\u0930",  # Assamese ra and va
    "\u09f1": "\u0935",
    "\u0a70": "\u0902",  # Gurmukhi tippi
    "\u0b71": "\u0935",  # Oriya wa
    "\u0b35": "\u0935",
    "\u0d7a": "\u0923\u094d",  # Malayalam's consonants that never have a vowel
    "\u0d7b": "\u0928\u094d",
    "\u0d7c": "\u0930\u094d",
    "\u0d7d": "\u0932\u094d",
    "\u0d7e": "\u0933\u094d",
    "\u0d7f": "\u0915\u094d",
    "\u0bd7": "\u094c",  # the second half of au in Tamil, Malayalam and Bengali
    "\u0d57": "\u094c",
    "\u09d7": "\u094c",
    "\u0d4e": "\u0930\u094d",
}
_ADDAK = "\u0a71"
_SIGNS = {"\u0901", "\u0902", "\u0903"}
_JOINERS = {"\u200c", "\u200d", "\ufeff"}
# A letter with its dot is one sign or two: each is read as two.
_DOTTED = {
    "\u0958": "\u0915",
    "\u0959": "\u0916",
    "\u095a": "\u0917",
    "\u095b": "\u091c",
    "\u095c": "\u0921",
    "\u095d": "\u0922",
    "\u095e": "\u092b",
    "\u095f": "\u092f",
}
_VOWEL_OF_SIGN = {chr(0x093E + place): chr(0x0906 + place) for place in range(15)} | {
    "\u0943": "\u090b",
    "\u0944": "\u0960",
    "\u0945": "\u090d",
    "\u0962": "\u090c",
}


@dataclass(frozen=True)
class Unit:
    """A consonant with the vowel after it; either may be missing. Both are Devanagari's letters."""

    consonant: str = ""
    """With a nukta where it has one."""
    vowel: str = ""
    """The letter of the vowel, `SCHWA` where none is written; empty after a virama."""
    sign: str = ""
    """Candrabindu, anusvara or visarga."""


def to_devanagari(word: str) -> str:
    """Return the word in Devanagari; signs that it has no place for stay as they are."""
    found: list[str] = []
    doubled = False
    for letter in word:
        if letter in _JOINERS:
            continue
        if letter == _ADDAK:
            # The consonant that follows is long.
            doubled = True
            continue
        moved = _moved(letter)
        if doubled:
            found += [moved, _VIRAMA]
            doubled = False
        found.append(moved)
    return "".join(found)


def _moved(letter: str) -> str:
    if letter in _OTHERWISE:
        return _OTHERWISE[letter]
    code = ord(letter)
    return chr(_FIRST + (code - _FIRST) % _BLOCK) if code in range(0x0980, 0x0D80) else letter


def units_of(word: str) -> list[Unit]:
    """Return the syllables of a word in Devanagari."""
    units: list[Unit] = []
    for letter in word:
        if letter in _DOTTED:
            units.append(Unit(consonant=_DOTTED[letter] + _NUKTA, vowel=SCHWA))
        elif "\u0915" <= letter <= "\u0939":
            units.append(Unit(consonant=letter, vowel=SCHWA))
        elif "\u0904" <= letter <= "\u0914" or letter in "\u0960\u0961":
            units.append(Unit(vowel=letter))
        elif units:
            units[-1] = _with_sign(units[-1], letter)
    return units


def _with_sign(unit: Unit, letter: str) -> Unit:
    if letter == _NUKTA:
        return Unit(unit.consonant + _NUKTA, unit.vowel, unit.sign)
    if letter == _VIRAMA:
        return Unit(unit.consonant, "", unit.sign)
    if letter in _SIGNS:
        return Unit(unit.consonant, unit.vowel, letter)
    if letter in _VOWEL_OF_SIGN:
        return Unit(unit.consonant, _VOWEL_OF_SIGN[letter], unit.sign)
    return unit
