"""Numbers in a translation: the source's must be in it, written as its language writes them. Pure.

A number is its digits in any script, and what separates them. `1,500.50` is one and a half thousand in
English, and `1.500,50` in Portuguese. Times, dates and versions (`10:30`, `3/4/2025`, `192.168.0.1`) have
parts, which may come in another order.

Of people's translations this lets through what they do: words for numbers below 100 and for ordinals, `15
lakh` for `1.5 million`, `22:30` for `10:30 p.m.`, `anos 60` for `1960s`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["has_other_numbers", "mend_numbers"]

_SEPARATED = r"\d+(?:[.,٫٬،۔'’\u00a0\u202f/:]\d+{})*"  # noqa: RUF001 (the signs are meant)
_NUMBER = re.compile(_SEPARATED.format(""))
_SPACED_NUMBER = re.compile(_SEPARATED.format(r"|[ ]\d{3}(?!\d)"))
_ORDINAL = re.compile(r"\s?(?:st|nd|rd|th|º|ª|°|er|e|ème|वीं|वें|वां|वाँ|मां|મી|માં|મો|ம்|வது|ஆம்|వ|ویں)(?!\w)")


def _each(languages: str) -> frozenset[str]:
    return frozenset(languages.split())


_COMMA_DECIMAL = _each("""
    af az ba be bg br bs ca cs da de el es et eu fi fo fr gl hr ht hu hy id is it jw ka kk lb ln lo lt lv mk
    nl nn no pl ps pt ro ru sk sl sq sr su sv tg tk tr tt uk uz vi
""")
"""Languages with a decimal comma; the others have a decimal point.

Source of the three tables: Unicode CLDR (`numbers.xml`), as Babel 2.19 has it, for Latin digits."""
_SPACE_GROUPS = _each(
    "af ba be bg br cs et fi fr gl ht hu hy ka kk lt lv nn no pl ru sk sq sv tg tk tt uk uz"
)
"""Of those, the ones that part thousands with a space, where the others have a full stop."""
_INDIAN_GROUPS = _each("as bn brx gom gu hi ml mr ne or pa sa ta te")
"""Languages that write 1,50,000. Where there is a decimal point, such groups are read in every language."""
_SIGNS = {"٫": ".", "۔": ".", "٬": ",", "،": ",", "’": "'"}  # noqa: RUF001 (the signs are meant)
"""Arabic separators, as Urdu has them too, and what they are in Latin."""
_SPACES = " \u00a0\u202f'"
_WORDS_BELOW = 100
_HOURS = 24
_SCALED_DIGITS = 4
"""A number of so many digits may be written in other thousands, as `15 lakh` for `1.5 million`."""


@dataclass(frozen=True, kw_only=True)
class _Number:
    """A number as written, and where; digits are 0 to 9."""

    text: str
    start: int
    stop: int
    whole: str
    """Its whole part without separators; empty where it is a time, a date or the like."""
    decimals: str
    grouped: bool
    ordinal: bool

    @property
    def value(self) -> tuple[str, str] | None:
        """Return what two writings of one number have in common."""
        return (self.whole.lstrip("0") or "0", self.decimals.rstrip("0")) if self.whole else None

    @property
    def parts(self) -> list[str]:
        """Return its groups of digits, without zeros before them."""
        return [part.lstrip("0") or "0" for part in re.findall(r"\d+", self.text)]

    @property
    def digits(self) -> str:
        """Return all digits, without zeros around them."""
        return re.sub(r"\D", "", self.text).strip("0") or "0"

    @property
    def is_small(self) -> bool:
        """Return whether it is often written as a word: 12, 500, 1,000."""
        whole = bool(self.whole) and not self.decimals
        return whole and (int(self.whole) < _WORDS_BELOW or len(self.digits) == 1)

    @property
    def is_clock(self) -> bool:
        """Return whether it may be a time of day: 10:30, 10.30."""
        clock = len(self.parts) == len("hm") and (":" in self.text or len(self.decimals) == len("mm"))
        return clock and int(self.parts[0]) <= _HOURS


def has_other_numbers(source: str, translated: str, source_language: str, target_language: str) -> bool:
    """Return whether a number of the source is not in the translation, or is separated wrongly there.

    A number that is often a word (12, 500, 1,000) is missed only where the translation has a number that the
    source does not have.
    """
    if not any(map(str.isdecimal, source)):
        return False
    said, written = _numbers(source, source_language), _numbers(translated, target_language)
    lost = [number for number in said if not _is_among(number, written)]
    if all(number.is_small for number in lost):
        lost = lost and [other for other in written if len(other.text) > 1 and not _is_among(other, said)]
    return bool(lost)


def mend_numbers(source: str, translated: str, source_language: str, target_language: str) -> str:
    """Return the translation with the separators of its numbers as its language writes them.

    Only a number whose digits are one of the source's is changed, and only where the source tells its value:
    `3.11` that stayed `3.11` may be a version.
    """
    written = _numbers(translated, target_language)
    for number in _numbers(source, source_language):
        alike = [other for other in written if _all_digits(other) == _all_digits(number)]
        copied = not number.grouped and any(other.text == number.text for other in alike)
        if len(alike) != 1 or copied or not number.whole or alike[0].value == number.value:
            continue
        if alike[0].text.isdecimal():
            # `15 lakh` for `1.5 million`.
            continue
        (other,) = alike
        mended = _in_digits_of(translated[other.start], _format(number, target_language))
        return mend_numbers(
            source,
            translated[: other.start] + mended + translated[other.stop :],
            source_language,
            target_language,
        )
    return translated


def _is_among(number: _Number, others: list[_Number]) -> bool:
    if len(number.text) < len("10"):
        return True
    if number.ordinal and number.is_small:
        return True
    if any(_is_same(number, other) for other in others):
        return True
    if not number.whole or number.is_clock:
        return all(_has_part(part, others) for part in number.parts if len(part) > 1)
    return _is_year_or_hour(number, others)


def _is_same(number: _Number, other: _Number) -> bool:
    """Return whether both are one number, perhaps in other thousands; or a copy that may be a version."""
    if number.whole and number.value == other.value:
        return True
    if number.text == other.text:
        return not number.grouped
    if not other.whole:
        return number.text in other.parts
    return number.digits == other.digits and _is_scaled(number, other)


def _is_scaled(number: _Number, other: _Number) -> bool:
    """Return whether the same digits may stand before another word: `3.7 million` and `37 lakh`."""
    shift = abs(len(number.whole) - len(other.whole))
    near = shift > 1 or number.decimals or other.decimals or max(len(number.whole), len(other.whole)) <= 3
    return bool(near) and len(number.digits) <= _SCALED_DIGITS


def _has_part(part: str, others: list[_Number]) -> bool:
    hours = {part, str(int(part) + 12), str(int(part) - 12)}
    return any(hours & set(other.parts) for other in others)


def _is_year_or_hour(number: _Number, others: list[_Number]) -> bool:
    """Return whether `1960` is `60` there, or `60` is `1960`; or `20` (of `20h30`) is `8`."""
    parts = [part for other in others for part in other.parts]
    hour = int(number.whole) - 12
    years = any(
        {len(part), len(number.text)} == {2, 4} and (part.endswith(number.text) or number.text.endswith(part))
        for part in parts
    )
    return years or (0 < hour < 12 and str(hour) in parts)


def _all_digits(number: _Number) -> str:
    return re.sub(r"\D", "", number.text)


@lru_cache(maxsize=64)
def _numbers(text: str, language: str) -> list[_Number]:
    """Return the numbers of a text, in order."""
    plain = "".join(character if character.isascii() else _plain(character) for character in text)
    pattern = _SPACED_NUMBER if language in _SPACE_GROUPS else _NUMBER
    return [_number(found, language) for found in pattern.finditer(plain)]


def _plain(character: str) -> str:
    """Return the digit of any script as 0 to 9, a separator as in Latin, everything else as it is."""
    return _SIGNS.get(character) or str(unicodedata.decimal(character, character))


def _number(found: re.Match[str], language: str) -> _Number:
    whole, decimals, grouped = _read(found.group(), language)
    return _Number(
        text=found.group(),
        start=found.start(),
        stop=found.end(),
        whole=whole,
        decimals=decimals,
        grouped=grouped,
        ordinal=bool(_ORDINAL.match(found.string, found.end())),
    )


def _read(text: str, language: str) -> tuple[str, str, bool]:
    """Return the whole part, the decimals, and whether thousands are parted; empty where it is no number."""
    decimal, group = (",", ".") if language in _COMMA_DECIMAL else (".", ",")
    head, tail = text, ""
    if text.count(decimal) == 1:
        head, _, tail = text.partition(decimal)
    for space in _SPACES:
        head = head.replace(space, group)
    groups = head.split(group)
    if not all(map(str.isdecimal, groups)) or not (tail.isdecimal() or not tail):
        return "", "", False
    sizes = [len(part) for part in groups]
    thousands = sizes[0] <= 3 and set(sizes[1:]) <= {3}
    indian = sizes[0] <= 2 and sizes[-1] == 3 and set(sizes[1:-1]) <= {2} and language not in _COMMA_DECIMAL
    if len(groups) > 1 and not thousands and not indian:
        return "", "", False
    return "".join(groups), tail, len(groups) > 1


def _format(number: _Number, language: str) -> str:
    """Return the number as the language writes it."""
    comma = language in _COMMA_DECIMAL
    group = ("\u00a0" if language in _SPACE_GROUPS else ".") if comma else ","
    whole = number.whole
    if number.grouped:
        step = 2 if language in _INDIAN_GROUPS else 3
        head, parts = whole[:-3], [whole[-3:]]
        while head:
            head, last = head[:-step], head[-step:]
            parts.insert(0, last)
        whole = group.join(parts)
    return whole + (("," if comma else ".") + number.decimals if number.decimals else "")


def _in_digits_of(like: str, text: str) -> str:
    """Return the text with its digits in the script of the digit `like`."""
    zero = ord(like) - unicodedata.decimal(like)
    return "".join(chr(zero + int(character)) if character.isdecimal() else character for character in text)
