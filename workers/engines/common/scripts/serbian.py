"""Serbian words from Cyrillic to Latin letters and back. Pure.

Each Cyrillic letter has one way into Latin. Back `lj`, `nj` and `dž` are one letter each, but for words in
which they are two by chance.
"""

from __future__ import annotations

import re

__all__ = ["cyrillic_of", "latin_of"]

_CYRILLIC = "а б в г д ђ е ж з и ј к л љ м н њ о п р с т ћ у ф х ц ч џ ш".split()
_LATIN = "a b v g d đ e ž z i j k l lj m n nj o p r s t ć u f h c č dž š".split()
_TO_LATIN = dict(zip(_CYRILLIC, _LATIN, strict=True))
_TO_CYRILLIC = dict(zip(_LATIN, _CYRILLIC, strict=True))
_LETTER = re.compile("lj|nj|dž|.", re.IGNORECASE | re.DOTALL)
_TWO_LETTERS = re.compile(
    "(?<=^na)dž(?=[aei])|(?<=^po)dž(?=[ei])|(?<=^i)nj(?=ekc)|(?<=^ko)nj(?=u[gn])|(?<=^ta)nj(?=ug)|(?<=^va)nj(?=ezi)",
    re.IGNORECASE,
)
_FOREIGN = re.compile("[qwxy]", re.IGNORECASE)


_INNER_CAPITAL = re.compile("[a-z][A-Z]")


def latin_of(word: str) -> str:
    """Return the word in Latin letters; what is not Serbian Cyrillic stays."""
    is_shouted = len(word) > 1 and word.isupper()
    found = []
    for letter in word:
        latin = _TO_LATIN.get(letter.lower(), letter)
        if letter.isupper():
            latin = latin.upper() if is_shouted else latin.capitalize()
        found.append(latin)
    return "".join(found)


def cyrillic_of(word: str) -> str:
    """Return the word in Cyrillic; a name such as `iPhone` or `web` stays as it is."""
    if _FOREIGN.search(word) or _INNER_CAPITAL.search(word):
        return word
    apart = _TWO_LETTERS.sub(lambda found: f"{found[0][0]}\0{found[0][1]}", word)
    return "".join(_cyrillic(letter) for letter in _LETTER.findall(apart) if letter != "\0")


def _cyrillic(letter: str) -> str:
    found = _TO_CYRILLIC.get(letter.lower(), letter)
    return found.upper() if letter[0].isupper() else found
