"""Full stops behind numbers: `3. Oktober`, `den 4. juli`, `3.` and `5公里`. Pure."""

# ruff: noqa: RUF001 - the letters of many scripts are meant here, not mistyped Latin.

from __future__ import annotations

import re

__all__ = ["is_ordinal", "is_roman"]


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_LANGUAGES = _words(
    """
    de lb da no nb nn is fo fi et lv cs sk pl hu hr bs sr sl mk tr az eu hsb dsb se
    """
)
"""Languages that write ordinals with a full stop."""
_CAPITALISED = frozenset({"de", "lb"})
"""Those in which the noun behind an ordinal has a capital."""
_MONTHS = _words(
    """
    januar jänner februar feber märz april mai juni juli august september oktober november dezember
    jahrhundert ocak şubat mart nisan mayıs haziran temmuz ağustos eylül ekim kasım aralık yüzyıl
    """
)
_BEFORE_ORDINALS = _words(
    """
    der die das den dem des am im zum zur vom beim ein eine einen einem einer eines mein meine
    meinen meinem dein deine sein seine seinen seinem ihr ihre ihren ihrem unser unsere jeder jede
    jedes jeden jedem bis seit ab auf an mit nach vor dieser diese dieses diesem diesen ihrer seiner
    meiner deiner unserer unserem unseren aller und oder in
    """
)
_LONGEST = 3
"""So many digits an ordinal has; four are a year."""
_ROMAN = re.compile(r"M{0,3}(CM|CD|D?C{0,3})(XC|XL|L?X{0,3})(IX|IV|V?I{0,3})")


def is_roman(word: str) -> bool:
    """Return whether the word is a Roman number of two letters or more."""
    return len(word) > 1 and _ROMAN.fullmatch(word) is not None


def is_ordinal(word: str, before: str, following: str, language: str) -> bool:
    """Return whether the full stop behind a number, in digits or Roman, makes it an ordinal.

    `following` is the next word without the marks around it. A word in lower case follows. In German it may
    be a noun, if an article or a preposition stands before the number or nothing does.
    """
    if language not in _LANGUAGES:
        return False
    long = word.isdecimal() and len(word) > _LONGEST
    if following[:1].islower():
        return not (long and language in _CAPITALISED)
    if following.casefold() in _MONTHS:
        return True
    if language not in _CAPITALISED or long or is_roman(word):
        return False
    whose = before[:1].isupper() and before.endswith("s")
    return before == "" or whose or before.casefold() in _BEFORE_ORDINALS or before[-1] in ".?!"
