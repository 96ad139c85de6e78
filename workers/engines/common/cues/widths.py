"""How much room a text takes: graphemes, of which those of half width count half in wide scripts. Pure.

Netflix's guides say so: for Japanese "half-width character, space, and punctuation counts as 0.5 characters",
for Korean "Latin characters, spaces, punctuation count as 0.5 character". Chinese is counted like Japanese.

Which characters are wide: Unicode Standard Annex 11. Signs that it calls ambiguous, such as `…` and `“`, are
wide in Chinese and Japanese type; letters with accents are not.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import replace

import regex

from workers.engines.common.cues.phrases import Token, count_graphemes

__all__ = ["WIDE", "cells", "cells_of_one", "in_cells", "width"]

WIDE = frozenset({"ja", "zh", "ko", "yue"})
"""Languages whose characters take twice the room."""
_GRAPHEME = regex.compile(r"\X")


def width(text: str, language: str) -> float:
    """Return the length of a text as a publisher counts it: whole graphemes, and halves in wide scripts."""
    return cells(text, language) / cells_of_one(language) if language in WIDE else count_graphemes(text)


def cells_of_one(language: str) -> int:
    """Return how many cells a character of the language takes."""
    return 2 if language in WIDE else 1


def cells(text: str, language: str) -> int:
    """Return how many cells the text takes: a cell is the room of the narrowest character."""
    if language not in WIDE:
        return count_graphemes(text)
    return sum(_cells(grapheme[0], language) for grapheme in _GRAPHEME.findall(text))


def in_cells(tokens: Sequence[Token], language: str, room: int) -> list[Token]:
    """Return the tokens with their lengths in cells; what is wider than `room` cells becomes pieces."""
    if language not in WIDE:
        return list(tokens)
    return [piece for token in tokens for piece in _pieces(token, language, room)]


def _pieces(token: Token, language: str, room: int) -> Iterator[Token]:
    texts, left = [""], room
    for grapheme in _GRAPHEME.findall(token.text):
        size = _cells(grapheme[0], language)
        if size > left and texts[-1]:
            texts.append("")
            left = room
        texts[-1] += grapheme
        left -= size
    for place, text in enumerate(texts):
        inside = token.inside_word or place > 0
        glued = token.glued or place > 0
        yield replace(token, text=text, graphemes=cells(text, language), glued=glued, inside_word=inside)


def _cells(character: str, language: str) -> int:
    kind, category = unicodedata.east_asian_width(character), unicodedata.category(character)
    if language == "ko" and category[0] in "PZ":
        return 1
    return 2 if kind in "WF" or (kind == "A" and category[0] in "PS" and language != "ko") else 1
