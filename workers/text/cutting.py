"""A text cut into pieces that a model takes whole. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

__all__ = ["Piece", "cut_to_fit", "join_pieces"]

_CLAUSE_END = re.compile(r"[,;:،؛—–]\s+|[，、；：]\s*")  # noqa: RUF001
"""Behind a comma without a space the same number may go on, or the same name."""
_SPACE = re.compile(r"\s+")
_MARGIN = 0.2
"""So much of a text at both its ends is too near to them for a cut at a comma: the rest would be as long."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """A part of the text `owner` (an index), in order."""

    owner: int
    text: str


def cut_to_fit(
    texts: Sequence[str], count: Callable[[Sequence[str]], Sequence[int]], most: int
) -> list[Piece]:
    """Return the texts, those with more than `most` tokens (`count`) cut in halves until they fit.

    A cut is made behind the comma, semicolon, colon or dash nearest to the middle, else at the space, else
    between two letters. The pieces of a text stand together, in order; an empty text is one piece.
    """
    pieces = [Piece(owner=index, text=text) for index, text in enumerate(texts)]
    while True:
        counts = count([piece.text for piece in pieces])
        long = {at for at, count in enumerate(counts) if count > most and len(pieces[at].text) > 1}
        if not long:
            return pieces
        pieces = [
            Piece(owner=piece.owner, text=part)
            for at, piece in enumerate(pieces)
            for part in (_halves(piece.text) if at in long else (piece.text,))
        ]


def join_pieces(pieces: Sequence[Piece], translated: Sequence[str], space: str) -> list[str]:
    """Return one translation for each text: those of its pieces with `space` between them."""
    pairs = zip(pieces, translated, strict=True)
    return [
        space.join(text for _, text in group if text.strip()) for _, group in groupby(pairs, _owner_of_first)
    ]


def _owner_of_first(pair: tuple[Piece, str]) -> int:
    return pair[0].owner


def _halves(text: str) -> tuple[str, str]:
    middle = len(text) / 2
    nearest = min(_places(text), key=lambda at: abs(at - middle), default=len(text) // 2)
    return text[:nearest].rstrip(), text[nearest:].lstrip()


def _places(text: str) -> list[int]:
    """Return where the text may be cut: clauses away from the ends, else spaces inside it."""
    margin = len(text) * _MARGIN
    ends = (match.end() for match in _CLAUSE_END.finditer(text))
    clauses = [at for at in ends if margin <= at <= len(text) - margin]
    return clauses or [
        match.end() for match in _SPACE.finditer(text) if 0 < match.start() < match.end() < len(text)
    ]
