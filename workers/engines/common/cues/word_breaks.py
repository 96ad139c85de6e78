"""Where the words are in scripts without spaces: what several libraries agree on. Pure.

Each library is loaded when the first text of its language comes. Which they are, and what they get wrong:
docs/adr/0025-sentences-and-words.md.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable

__all__ = ["find_borders", "find_possible_borders"]

_AT_ONCE = 400
"""So many characters are given to a library: time and memory stay linear in a text without any marks."""
_MARGIN = 40
"""The last of them are given again, with what follows: their words may go on."""

_Breaker = Callable[[str], Iterable[str]]
"""Takes a text, returns its words in order."""


def find_borders(text: str, language: str) -> frozenset[int]:
    """Return the places in a text of `language` (ISO 639-1, without spaces) where a word ends.

    A place counts where all breakers of the language see a border: to break there is safe. None is inside a
    number or a Latin word.
    """
    return _find(text, language, set.intersection)


def find_possible_borders(text: str, language: str) -> frozenset[int]:
    """Return the places where at least one breaker sees a border: a break elsewhere is inside a word."""
    return _find(text, language, set.union)


def _find(text: str, language: str, together: Callable[..., set[int]]) -> frozenset[int]:
    found: set[int] = set()
    start = 0
    while start < len(text):
        piece = text[start : start + _AT_ONCE]
        ends = together(*(_ends(breaker(piece)) for breaker in _breakers(language)))
        if start + len(piece) < len(text):
            ends = {end for end in ends if end <= len(piece) - _MARGIN} or {len(piece)}
        found.update(start + end for end in ends)
        start += max(ends)
    return frozenset(found)


def _ends(words: Iterable[str]) -> set[int]:
    return set(itertools.accumulate(map(len, words)))


@functools.cache
def _breakers(language: str) -> tuple[_Breaker, ...]:
    """Return the breakers of a language; ICU has a dictionary of each, and knows numbers."""
    from icu4py.breakers import WordBreaker

    icu: _Breaker = lambda text: WordBreaker(text, language)  # noqa: E731 (a name for one line)
    more = _MORE.get(language)
    return (icu, more()) if more is not None else (icu,)


def _chinese() -> _Breaker:
    import rjieba

    cut: _Breaker = rjieba.cut
    return cut


def _cantonese() -> _Breaker:
    import budoux

    parse: _Breaker = budoux.load_default_traditional_chinese_parser().parse
    return parse


def _japanese() -> _Breaker:
    import budoux

    parse: _Breaker = budoux.load_default_japanese_parser().parse
    return parse


def _thai() -> _Breaker:
    from newmm_tokenizer.tokenizer import word_tokenize

    tokenize: _Breaker = word_tokenize
    return tokenize


_MORE = {"zh": _chinese, "yue": _cantonese, "ja": _japanese, "th": _thai}
