"""Names that were heard often and are spelt in two ways. Pure.

In alphabets with capitals a name is a word with a capital within a sentence that is never written small; two
are one name where they are spelt almost alike. Indic scripts have no capitals: there two words are one where
they sound alike, that is where they differ in what is written in several ways (`_key`).
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from protocol.timeline import Transcript

__all__ = ["Spelling", "spellings"]

_ALIKE = 0.8
_ALIKE_LENGTH = _ALIKE / (2 - _ALIKE)
"""A shorter word shares too few letters with the longer one, whichever they are."""
_LEAST_LETTERS = 4
_LEAST_SIGNS = 3
"""In an Indic script a letter has its vowel in it: गबर."""
_ENDS = re.compile(r"[.!?।…][\"'\u201d\u2019)\]]*$")
_OUTSIDE = re.compile(r"^[^\w\u0900-\u0dff]+|[^\w\u0900-\u0dff]+$")
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_INDIC = range(0x0900, 0x0D80)
_BLOCK = 0x80
_LIKE = str.maketrans(
    {
        "ी": "ि", "ू": "ु", "ई": "इ", "ऊ": "उ", "ै": "े", "ौ": "ो", "ऐ": "ए", "औ": "ओ",
        "ँ": "ं", "ण": "न", "श": "स", "ष": "स", "़": None, "्": None, "\u200c": None, "\u200d": None,
        "ॉ": "ा", "ऑ": "आ", "ऍ": "ए", "ॅ": "े",
    }
)  # fmt: skip
"""What is written in several ways and sounds alike, in Devanagari; the other scripts are parallel to it."""


@dataclass(frozen=True, kw_only=True)
class Spelling:
    """A way in which a name is written."""

    text: str
    starts_ms: tuple[int, ...]


def spellings(transcript: Transcript, least: int = 3) -> list[tuple[Spelling, ...]]:
    """Return names that have several spellings and were heard so often in all, the most frequent first.

    Of each name its spellings come by how often they are, too.
    """
    found = _words(transcript)
    groups: dict[str, list[Spelling]] = defaultdict(list)
    for spelling in found:
        groups[_group(spelling.text, groups)].append(spelling)
    several = [tuple(group) for group in groups.values() if len(group) > 1 and _times(group) >= least]
    return sorted(several, key=lambda group: (-_times(group), group[0].text))


def _times(group: Sequence[Spelling]) -> int:
    return sum(len(spelling.starts_ms) for spelling in group)


def _group(text: str, groups: Iterable[str]) -> str:
    """Return the key of the group that the word belongs to; its own where there is none."""
    if ord(text[0]) in _INDIC:
        return _key(text)
    return next((key for key in groups if _is_same(key, text)), text)


def _is_same(one: str, other: str) -> bool:
    a, b = _bare(one), _bare(other)
    longer, shorter = sorted((a, b), key=len, reverse=True)
    if a[0] != b[0] or len(shorter) < _ALIKE_LENGTH * len(longer) or longer == f"{shorter}s":
        # Another name, or its plural.
        return False
    matcher = SequenceMatcher(None, a, b, autojunk=False)
    return a == b or (matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE)


@lru_cache(maxsize=8_192)
def _bare(text: str) -> str:
    """Return the letters without case and accents."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter)) or text


def _key(text: str) -> str:
    """Return what a word in an Indic script sounds like: doubled letters are one, too."""
    letters = (
        chr(_INDIC.start + (ord(letter) - _INDIC.start) % _BLOCK) if ord(letter) in _INDIC else letter
        for letter in unicodedata.normalize("NFD", text)
    )
    alike = "".join(letters).replace("न्", "ं").replace("म्", "ं").translate(_LIKE)
    return re.sub(r"(.)\1+", r"\1", alike)


def _words(transcript: Transcript) -> list[Spelling]:
    """Return every word that may be a name, the most frequent first."""
    times: dict[str, list[int]] = defaultdict(list)
    small: set[str] = set()
    inside: set[str] = set()
    for text, start_ms, begins in _spoken(transcript):
        if text[0].isupper():
            times[text].append(start_ms)
            if not begins:
                inside.add(text)
        elif ord(text[0]) in _INDIC:
            times[text].append(start_ms)
            inside.add(text)
        else:
            small.add(text.casefold())
    names = [text for text in times if text in inside and text.casefold() not in small]
    names.sort(key=lambda text: (-len(times[text]), text))
    return [Spelling(text=text, starts_ms=tuple(times[text])) for text in names]


def _spoken(transcript: Transcript) -> Iterator[tuple[str, int, bool]]:
    """Yield each word of some length, its time, and whether it begins a sentence."""
    for segment in transcript.segments:
        begins = True
        words = [(word.text, word.start_ms) for word in segment.words]
        for written, start_ms in words or [(text, segment.start_ms) for text in segment.text.split()]:
            text = _POSSESSIVE.sub("", _OUTSIDE.sub("", unicodedata.normalize("NFC", written)))
            if len(text) >= (_LEAST_SIGNS if text and ord(text[0]) in _INDIC else _LEAST_LETTERS):
                yield text, start_ms, begins
            begins = bool(_ENDS.search(written))
