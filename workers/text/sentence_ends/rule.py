"""Where a sentence ends: one rule for cutting, timing, translating and checking. Pure.

A mark of `marks.SENTENCE_ENDS` ends one. The full stop does not where it belongs to an abbreviation, an
initial, an ordinal or a number; the words beside it and the language say so.
"""

# ruff: noqa: RUF001 - the letters of many scripts are meant here, not mistyped Latin.

from __future__ import annotations

from collections.abc import Sequence

from protocol.languages import UNSPACED
from workers.text.sentence_ends.abbreviations import Kind, kind_of
from workers.text.sentence_ends.initials import is_initial, is_initials
from workers.text.sentence_ends.marks import (
    CLOSERS,
    ELLIPSES,
    OPENERS,
    QUOTES,
    sentence_ends_of,
)
from workers.text.sentence_ends.ordinals import is_ordinal, is_roman
from workers.text.sentence_ends.starters import starts_sentence

__all__ = ["ends_sentence", "find_ends"]

_FULL_STOPS = ".\uff0e"
_AROUND = OPENERS + CLOSERS + ".,;:?!…।॥。،؛؟۔"
_LONGEST_NUMBER = 3
"""`3.` and `14` may be one number that a recogniser has parted; `1975.` and `20` are not."""
_FURTHEST = 8
"""So many letters before a full stop are read together in a language without spaces."""
_TIMES = frozenset(
    {"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "eastern", "pacific"}
    | {"central", "est", "edt", "pst", "pdt", "gmt", "utc", "et", "cet"}
)
"""What goes on behind `5 p.m.` though it has a capital."""


def find_ends(words: Sequence[str], language: str) -> list[bool]:
    """Return for each of the words of a text in `language` (ISO 639-1) whether a sentence ends with it."""
    ends_of = sentence_ends_of(language)
    found = []
    last = len(words) - 1
    for place, word in enumerate(words):
        if word[-1:] not in ends_of and word.rstrip(CLOSERS)[-1:] not in ends_of:
            found.append(False)
            continue
        following = words[place + 1] if place < last else ""
        before = words[place - 1] if place and language not in UNSPACED else ""
        whole = _run(words, place) if language in UNSPACED else word
        found.append(ends_sentence(whole, following, language, before))
    return found


def _run(words: Sequence[str], place: int) -> str:
    """Return the word with the letters before it, back to a space or a mark."""
    text = words[place]
    for earlier in reversed(words[max(0, place - _FURTHEST) : place]):
        if not earlier or earlier[-1] in _AROUND.replace(".", "") or earlier[-1].isspace():
            break
        text = earlier + text
    return text.split()[-1] if text.strip() else text


def ends_sentence(word: str, following: str, language: str, before: str = "") -> bool:
    """Return whether a sentence of `language` (ISO 639-1) ends with a word.

    `following` and `before` are the words beside it, or empty where there is none.
    """
    bare = word.rstrip(CLOSERS)
    if not bare or bare[-1] not in sentence_ends_of(language):
        return False
    if not following:
        return True
    opening = following.lstrip(OPENERS)[:1]
    if opening.islower() and (bare.endswith(ELLIPSES) or not QUOTES.isdisjoint(word[len(bare) :])):
        return False
    if bare[-1] not in _FULL_STOPS or bare.endswith("..."):
        return True
    core = bare[:-1].lstrip(OPENERS)
    return not core or not _is_inside(core, before, following, language)


def _is_inside(core: str, before: str, following: str, language: str) -> bool:
    """Return whether the full stop behind `core` belongs to the word."""
    following_bare = following.strip(_AROUND)
    before_bare = before.strip(CLOSERS + OPENERS)
    if core[-1].isdecimal() or is_roman(core):
        return _is_number_inside(core, before_bare, following, language)
    if _is_half(core, following):
        return True
    kind = _kind(core, before_bare, language)
    if kind is Kind.NUMBER and (following_bare[:1].isdecimal() or is_roman(following_bare)):
        return True
    if kind is not None and not (kind is Kind.NUMBER and len(core) == 1):
        return _keeps(kind, before_bare, following_bare, language)
    if is_initials(core):
        return not starts_sentence(following_bare, language)
    if not is_initial(core, before_bare, following, language):
        return False
    if language == "en" and core == "I":
        return _is_letter(following)
    return not starts_sentence(following_bare, language)


def _is_number_inside(core: str, before: str, following: str, language: str) -> bool:
    bare = following.strip(_AROUND)
    if core[-1].isdecimal() and following[:1].isdecimal():
        return language in UNSPACED or len(core) <= _LONGEST_NUMBER
    if starts_sentence(bare, language):
        return False
    return is_ordinal(core, before, bare, language)


def _is_half(core: str, following: str) -> bool:
    """Return whether an abbreviation of two letters is written with a space: `p. m.`, `a. C.`"""
    return core.isascii() and core.isalpha() and len(core) == 1 and core.islower() and _is_letter(following)


def _is_letter(word: str) -> bool:
    bare = word.rstrip(CLOSERS + ",;:")
    return len(bare) == len("m.") and bare[0].isascii() and bare[0].isalpha() and bare[1] == "."


def _kind(core: str, before: str, language: str) -> Kind | None:
    """Return the kind of an abbreviation; in a language without spaces the end of the text is looked up."""
    if len(core) == 1 and _is_letter(before) and (kind := kind_of(before + core, language)) is not None:
        return kind
    if language not in UNSPACED or core.isascii():
        return kind_of(core, language)
    letters = _consonants(core)
    kind = kind_of(letters, language) if letters else None
    return Kind.NEVER if kind is None and len(letters) == 1 else kind


def _consonants(core: str) -> str:
    """Return the Thai or Lao consonants and full stops at the end, if no vowel stands before them.

    A word needs a vowel, an abbreviation has none: `ดร.`, `พ.ศ.`
    """
    bare = core.rstrip("".join(map(chr, (*range(0x0E01, 0x0E2F), *range(0x0E81, 0x0EAF), 0x2E))))
    tail = core[len(bare) :].lstrip(".")
    return "" if bare[-1:].isalpha() or bare[-1:] > "\u0e2f" else tail


def _keeps(kind: Kind, before: str, following: str, language: str) -> bool:
    """Return whether the sentence goes on behind an abbreviation."""
    opening = following[:1]
    starts = starts_sentence(following, language)
    if kind is Kind.NEVER:
        return True
    if kind is Kind.NUMBER:
        return False
    if kind is Kind.DATED:
        if not before[-1:].isdecimal() and not is_roman(before):
            return True
        kind = Kind.CAPITAL
    if kind is Kind.CAPITAL and opening.isupper():
        return following.casefold() in _TIMES
    return not starts
