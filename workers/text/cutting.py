"""Cuts a text into pieces that are short enough for a model. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

__all__ = ["TextPiece", "cut_to_clauses", "cut_to_fit", "join_pieces"]

_CLAUSE_END = re.compile(r"[,;:،؛—–]\s+|[，、；：]\s*")  # noqa: RUF001 (the letters are meant)
"""After a comma without a space the same number or name may go on."""
_SPACE = re.compile(r"\s+")
_MARGIN = 0.2
"""A comma in this part of the text, at either end, is no place for a cut: the rest would be as long."""


@dataclass(frozen=True, kw_only=True)
class TextPiece:
    """A part of a text; `owner` is the index of the text."""

    owner: int
    text: str


def cut_to_fit(
    texts: Sequence[str], count: Callable[[Sequence[str]], Sequence[int]], most: int
) -> list[TextPiece]:
    """Return the texts in pieces of at most `most` tokens; `count` tells the tokens of each text.

    A text that is too long is cut in halves until its pieces fit: after the comma, semicolon, colon or dash
    that is nearest to the middle, else at a space, else between two letters. The pieces of a text stand
    together and in order. An empty text is one piece.
    """
    pieces = [TextPiece(owner=index, text=text) for index, text in enumerate(texts)]
    while True:
        counts = count([piece.text for piece in pieces])
        long = {at for at, count in enumerate(counts) if count > most and len(pieces[at].text) > 1}
        if not long:
            return pieces
        pieces = [
            TextPiece(owner=piece.owner, text=part)
            for at, piece in enumerate(pieces)
            for part in (_halves(piece.text) if at in long else (piece.text,))
        ]


def cut_to_clauses(texts: Sequence[str]) -> list[TextPiece]:
    """Return the texts in pieces, each of which ends where a clause ends; the pieces stand in order."""
    return [
        TextPiece(owner=index, text=part)
        for index, text in enumerate(texts)
        for part in _clauses(text) or (text,)
    ]


def join_pieces(pieces: Sequence[TextPiece], translated: Sequence[str], space: str) -> list[str]:
    """Return one translation for each text: the translations of its pieces with `space` between them."""
    pairs = zip(pieces, translated, strict=True)
    return [
        space.join(text for _, text in group if text.strip()) for _, group in groupby(pairs, _owner_of_first)
    ]


def _owner_of_first(pair: tuple[TextPiece, str]) -> int:
    return pair[0].owner


def _clauses(text: str) -> list[str]:
    ends = [0, *(match.end() for match in _CLAUSE_END.finditer(text)), len(text)]
    return [part for low, high in pairwise(ends) if (part := text[low:high].strip())]


def _halves(text: str) -> tuple[str, str]:
    middle = len(text) / 2
    nearest = min(_places(text), key=lambda at: abs(at - middle), default=len(text) // 2)
    return text[:nearest].rstrip(), text[nearest:].lstrip()


def _places(text: str) -> list[int]:
    """Return where the text may be cut: after clauses that are not near the ends, else at its spaces."""
    margin = len(text) * _MARGIN
    ends = (match.end() for match in _CLAUSE_END.finditer(text))
    clauses = [at for at in ends if margin <= at <= len(text) - margin]
    return clauses or [
        match.end() for match in _SPACE.finditer(text) if 0 < match.start() < match.end() < len(text)
    ]
