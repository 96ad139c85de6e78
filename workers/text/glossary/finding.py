"""Finds the terms of a glossary in a text. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from protocol.jobs.glossary import Term
from protocol.languages import UNSPACED

__all__ = ["Occurrence", "TermFinder", "bounded", "composed", "words_pattern"]

_APOSTROPHES = "['\u2019]"
_JOINERS = "\u200c\u200d"
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
        self._terms = sorted(terms, key=lambda term: -len(term.source))
        options = "|".join(f"({_cased(composed(term.source))})" for term in self._terms)
        self._pattern = re.compile(bounded(options, language)) if options else None

    def find(self, text: str) -> Iterator[Occurrence]:
        """Yield the terms of a text that is `composed`, in order."""
        if self._pattern is not None:
            for match in self._pattern.finditer(text):
                term = self._terms[(match.lastindex or 1) - 1]
                yield Occurrence(start=match.start(), end=match.end(), term=term)


def bounded(pattern: str, language: str) -> str:
    """Return the pattern for whole words; a script without spaces has none."""
    if language in UNSPACED:
        return f"(?:{pattern})"
    letter = f"[\\w{_marks()}{_JOINERS}]"
    return f"(?<!{letter})(?:{pattern})(?!{letter})"


def words_pattern(text: str) -> str:
    """Return a pattern for the text with any spaces between its words, and any apostrophe."""
    words = (re.escape(word) for word in text.split())
    return re.sub("['\u2019]", _APOSTROPHES, r"\s+".join(words))


def _cased(source: str) -> str:
    first = source[:1]
    if first == first.lower():
        return f"(?i:{words_pattern(source)})"
    rest = words_pattern(source[1:])
    gap = r"\s+" if source[1:2].isspace() else ""
    return f"{re.escape(first)}{gap}(?i:{rest})" if rest else re.escape(first)


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
