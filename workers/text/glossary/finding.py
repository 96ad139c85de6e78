"""Finds the terms of a glossary in a text. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from protocol.jobs.glossary import Term
from protocol.languages import UNSPACED

__all__ = ["Occurrence", "TermFinder", "bounded", "composed", "has_words"]

_APOSTROPHES = "['\u2019]"
_JOINERS = "\u200c\u200d"
_OF_WORDS = f"_{_JOINERS}"
_DOTS = str.maketrans("İı", "ii")
_MOST_PATTERNS = 4_096
_MARKS_UNTIL = 0x1F000
"""No script with combining marks lies above it."""


@dataclass(frozen=True, kw_only=True)
class Occurrence:
    """A term in a text, between two places."""

    start: int
    end: int
    term: Term


def composed(text: str) -> str:
    """Return the text as glossaries are read: in NFC."""
    return unicodedata.normalize("NFC", text)


class TermFinder:
    """Finds terms as whole words, the longest first, none inside another.

    A term that begins with a capital is found where the text has one there, as `Will` and not `will`; the
    rest may be in either case. What follows an apostrophe (`Gabbar's`) is not part of the word.
    """

    def __init__(self, terms: Sequence[Term], language: str) -> None:
        longest_first = sorted(terms, key=lambda term: -len(term.source))
        self._terms = [(_part(term.source), term) for term in longest_first if term.source.strip()]
        self._spaced = language not in UNSPACED

    def find(self, text: str) -> Iterator[Occurrence]:
        """Yield the terms of a text that is `composed`, in order."""
        folded = _folded(text)
        # A film has thousands of sentences and a glossary as many terms: most are sorted out here.
        near = [term for part, term in self._terms if part in folded]
        place = 0
        while near and place < len(text):
            found = self._at(text, place, near)
            if found is not None:
                yield found
            place = found.end if found is not None else place + 1

    def _at(self, text: str, place: int, near: Sequence[Term]) -> Occurrence | None:
        """Return the first of the terms that begins at this place; None where none does."""
        if self._spaced and place and _is_letter(text[place - 1]):
            return None
        for term in near:
            match = _cased(term.source).match(text, place)
            if match and not (self._spaced and _is_letter(text[match.end() : match.end() + 1])):
                return Occurrence(start=place, end=match.end(), term=term)
        return None


def has_words(text: str, words: str, language: str, ending: int) -> bool:
    """Return whether the text has these words, in either case, with an ending of at most so many letters.

    Both are `composed`.
    """
    pattern = _in_either_case(words)
    match = pattern.search(text)
    while match:
        begins = not match.start() or not _is_letter(text[match.start() - 1])
        end = match.end()
        while end < match.end() + ending and _is_letter(text[end : end + 1]):
            end += 1
        if language in UNSPACED or (begins and not _is_letter(text[end : end + 1])):
            return True
        match = pattern.search(text, match.start() + 1)
    return False


def _is_letter(character: str) -> bool:
    """Return whether it is of a word; empty, at the ends of a text, it is not."""
    if not character:
        return False
    return character.isalnum() or character in _OF_WORDS or unicodedata.category(character)[0] == "M"


def bounded(pattern: str, language: str) -> str:
    """Return the pattern for whole words; a script without spaces has none."""
    if language in UNSPACED:
        return f"(?:{pattern})"
    letter = f"[\\w{_marks()}{_JOINERS}]"
    return f"(?<!{letter})(?:{pattern})(?!{letter})"


def _words_pattern(text: str) -> str:
    """Return a pattern for the text with any spaces between its words, and any apostrophe."""
    words = (re.escape(word) for word in text.split())
    return re.sub("['\u2019]", _APOSTROPHES, r"\s+".join(words))


def _part(source: str) -> str:
    """Return the longest of its words, `_folded`: a text without that does not have the term."""
    return max(map(_folded, re.split(f"\\s+|{_APOSTROPHES}", composed(source))), key=len)


def _folded(text: str) -> str:
    """Return the text without case, as patterns without case read it."""
    return text.translate(_DOTS).casefold()


@lru_cache(maxsize=_MOST_PATTERNS)
def _in_either_case(words: str) -> re.Pattern[str]:
    return re.compile(_words_pattern(words), re.IGNORECASE)


@lru_cache(maxsize=_MOST_PATTERNS)
def _cased(source: str) -> re.Pattern[str]:
    """Return the pattern of a term, its first letter in its case where that is a capital."""
    source = composed(source)
    first = source[:1]
    if first == first.lower():
        return re.compile(_words_pattern(source), re.IGNORECASE)
    rest = _words_pattern(source[1:])
    gap = r"\s+" if source[1:2].isspace() else ""
    return re.compile(f"{re.escape(first)}{gap}(?i:{rest})")


@lru_cache(maxsize=1)
def _marks() -> str:
    """Return a class of all combining marks, without brackets: `\\w` has no vowel signs of India."""
    found: list[list[int]] = []
    for code in range(_MARKS_UNTIL):
        if unicodedata.category(chr(code))[0] == "M":
            if found and found[-1][1] == code - 1:
                found[-1][1] = code
            else:
                found.append([code, code])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in found)
