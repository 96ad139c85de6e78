"""Spellings of one name: whether two words may be the same name, heard or written in two ways. Pure."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher
from functools import lru_cache

from workers.text.glossary.finding import composed

__all__ = ["folded", "may_be_one_name", "skeleton"]

_LEAST_LETTERS = 4
_LEAST_SIGNS = 3
"""In a script that writes vowels as signs a name has fewer characters."""
_CLOSE = 0.8
_NEAR = 0.6
_ENDINGS = frozenset("'aeinos")
"""The letters of endings: `Gabbars`, `Gabbar's`, `Mariana`."""
_LEAST_SKELETON = 2
_LEAST_BARE_SKELETON = 3
"""Of a word without capitals, which may be any word, so many consonants must be the same."""
_SOUNDS = (("ph", "f"), ("ck", "k"), ("sch", "sh"), ("th", "t"), ("dh", "d"), ("bh", "b"), ("kh", "k"))
_LETTERS = str.maketrans("cqzwyj", "kksvij")
_VOWELS = frozenset("aeiouhاویےى")  # noqa: RUF001 (the letters are meant)
_VOWEL_NAMES = frozenset(("A", "AA", "I", "II", "U", "UU", "E", "EE", "AI", "O", "OO", "AU"))
_ARABIC = str.maketrans("يكة", "یکه")
_NASALS = frozenset(("NGA", "NYA", "NNA", "NA", "MA"))


def folded(word: str) -> str:
    """Return the word as words are compared: in NFC, in one case, with plain apostrophes."""
    return composed(word).lower().replace("\u2019", "'")


@lru_cache(maxsize=8192)
def skeleton(word: str) -> str:
    """Return what is left of a word without vowels, accents, doubled letters and letters that sound alike.

    `Gabbar` and `Gabar` have one skeleton, and so have `ठाकुर` and `ठाकूर`. Its first vowel stays.
    """
    letters = [letter for letter in unicodedata.normalize("NFD", folded(word)) if not _is_space(letter)]
    kept = "".join(letter for place, letter in enumerate(letters) if not _is_dropped(letters, place))
    kept = kept.translate(_ARABIC)
    for sound, letter in _SOUNDS:
        kept = kept.replace(sound, letter)
    kept = kept.translate(_LETTERS)
    bare = kept[:1] + "".join(letter for letter in kept[1:] if not _is_vowel(letter))
    return "".join(letter for place, letter in enumerate(bare) if letter != bare[place - 1 : place])


def may_be_one_name(one: str, other: str) -> bool:
    """Return whether two different words may be one name: `Gabbar` and `Gabar`, not `Gabbar` and `Gabbars`.

    Words that differ only at their ends are two forms of a word, and no two spellings of a name.
    """
    first, second = folded(one), folded(other)
    if first == second or _are_forms(first, second) or not _long_enough(first, second):
        return False
    bones = skeleton(one), skeleton(other)
    if bones[0][:1] != bones[1][:1]:
        return False
    likeness = SequenceMatcher(None, first, second, autojunk=False).ratio()
    least = _LEAST_SKELETON if one != first else _LEAST_BARE_SKELETON
    if bones[0] == bones[1] and len(bones[0]) >= least and likeness >= _NEAR:
        return True
    return one != first and other != second and likeness >= _CLOSE


def _long_enough(one: str, other: str) -> bool:
    signs = any(unicodedata.category(letter)[0] == "M" for letter in one)
    return min(len(one), len(other)) >= (_LEAST_SIGNS if signs else _LEAST_LETTERS)


def _are_forms(one: str, other: str) -> bool:
    """Return whether the words differ only by an ending, or by the vowel sign that they end with."""
    short, long = sorted((one, other), key=len)
    if long.startswith(short) and set(long[len(short) :]) <= _ENDINGS:
        return True
    return _without_last_signs(one) == _without_last_signs(other)


def _without_last_signs(word: str) -> str:
    while word and unicodedata.category(word[-1])[0] == "M":
        word = word[:-1]
    return word


def _is_space(letter: str) -> bool:
    return not letter.isalnum() and unicodedata.category(letter)[0] != "M"


def _is_dropped(letters: list[str], place: int) -> bool:
    """Return whether it is a mark, or a nasal before a consonant: there an anusvara can stand instead."""
    letter = letters[place]
    if unicodedata.category(letter)[0] == "M":
        return True
    if place + 1 < len(letters) and "VIRAMA" in unicodedata.name(letters[place + 1], ""):
        return unicodedata.name(letter, "").rpartition(" ")[2] in _NASALS
    return False


@lru_cache(maxsize=2048)
def _is_vowel(letter: str) -> bool:
    """Return whether it is a vowel; h counts as one, because it is heard as little."""
    if letter in _VOWELS:
        return True
    name = unicodedata.name(letter, "")
    return not name.startswith("LATIN") and name.rpartition(" ")[2] in _VOWEL_NAMES
