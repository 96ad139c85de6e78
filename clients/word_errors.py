"""Two transcripts of one film, word by word. Pure but for jiwer's arithmetic.

The word error rate is the Levenshtein distance of B's words from A's, divided by A's count (jiwer). Words are
compared without case and punctuation. Combining signs are kept, because Hindi cannot be read without its
vowel signs; Whisper's own normaliser drops them. Languages without spaces are compared by graphemes.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.languages import UNSPACED
from protocol.timeline import Transcript, Word

__all__ = ["Comparison", "Difference", "compare_transcripts", "compared_pieces"]

_NEIGHBOURS = 2
"""How many equal words are shown before and after a difference."""
_Piece = tuple[str, str, int]
"""As compared, as written, and its start in ms."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A place where the two say different things; `start_ms` is A's time, or B's where A has no word."""

    start_ms: int
    a: str
    b: str


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How far B is from A. Rates are None where A has no words."""

    words_a: int
    words_b: int
    substituted: int
    missing: int
    added: int
    error_rate: float | None
    by_graphemes: bool
    start_difference_ms: tuple[int, int] | None
    """Median and 95th percentile of |start of B's word - start of A's| over the words that are equal."""
    differences: tuple[Difference, ...]


def compare_transcripts(a: Transcript, b: Transcript, *, by_graphemes: bool = False) -> Comparison:
    """Return how B differs from A, word by word, or by graphemes."""
    import jiwer

    by_graphemes = by_graphemes or a.language in UNSPACED or b.language in UNSPACED
    left, right = _pieces(a, by_graphemes=by_graphemes), _pieces(b, by_graphemes=by_graphemes)
    if not left or not right:
        return _one_sided(left, right, by_graphemes=by_graphemes)
    found = jiwer.process_words(" ".join(piece[0] for piece in left), " ".join(piece[0] for piece in right))
    chunks = found.alignments[0]
    apart = sorted(
        abs(left[chunk.ref_start_idx + index][2] - right[chunk.hyp_start_idx + index][2])
        for chunk in chunks
        if chunk.type == "equal"
        for index in range(chunk.ref_end_idx - chunk.ref_start_idx)
    )
    spans = [
        (chunk.ref_start_idx, chunk.ref_end_idx, chunk.hyp_start_idx, chunk.hyp_end_idx)
        for chunk in chunks
        if chunk.type != "equal"
    ]
    return Comparison(
        words_a=len(left),
        words_b=len(right),
        substituted=found.substitutions,
        missing=found.deletions,
        added=found.insertions,
        error_rate=(found.substitutions + found.deletions + found.insertions) / len(left),
        by_graphemes=by_graphemes,
        start_difference_ms=(apart[len(apart) // 2], apart[len(apart) * 95 // 100]) if apart else None,
        differences=tuple(_difference(left, right, span) for span in _join(spans)),
    )


def _one_sided(left: Sequence[_Piece], right: Sequence[_Piece], *, by_graphemes: bool) -> Comparison:
    there = left or right
    whole = " ".join(piece[1] for piece in there)
    only = (
        Difference(start_ms=there[0][2], a=whole if left else "", b="" if left else whole) if there else None
    )
    return Comparison(
        words_a=len(left),
        words_b=len(right),
        substituted=0,
        missing=len(left),
        added=len(right),
        error_rate=1.0 if left else None,
        by_graphemes=by_graphemes,
        start_difference_ms=None,
        differences=(only,) if only is not None else (),
    )


_Span = tuple[int, int, int, int]


def _join(spans: Sequence[_Span]) -> list[_Span]:
    """Join differences that are so near that the same neighbours would be shown twice."""
    joined: list[_Span] = []
    for span in spans:
        if joined and span[0] - joined[-1][1] <= 2 * _NEIGHBOURS:
            joined[-1] = (joined[-1][0], span[1], joined[-1][2], span[3])
        else:
            joined.append(span)
    return joined


def _difference(left: Sequence[_Piece], right: Sequence[_Piece], span: _Span) -> Difference:
    a_from, a_to, b_from, b_to = span
    before = min(_NEIGHBOURS, a_from, b_from)
    after = min(_NEIGHBOURS, len(left) - a_to, len(right) - b_to)
    a, b = left[a_from - before : a_to + after], right[b_from - before : b_to + after]
    return Difference(
        start_ms=(a or b)[0][2],
        a=" ".join(piece[1] for piece in a),
        b=" ".join(piece[1] for piece in b),
    )


def _pieces(transcript: Transcript, *, by_graphemes: bool) -> list[_Piece]:
    pieces = []
    for word in _words(transcript):
        for written in _graphemes(word.text) if by_graphemes else (word.text,):
            compared = _bare(written)
            if compared:
                pieces.append((compared, written, word.start_ms))
    return pieces


def compared_pieces(text: str, *, by_graphemes: bool) -> list[str]:
    """Return the words or graphemes of a text as they are compared."""
    written = _graphemes(text) if by_graphemes else text.split()
    return [compared for piece in written if (compared := _bare(piece))]


def _words(transcript: Transcript) -> list[Word]:
    """Return the words; those of a segment without timed words all start with the segment."""
    words: list[Word] = []
    for segment in transcript.segments:
        words += segment.words or [
            Word(text=part, start_ms=segment.start_ms, end_ms=segment.end_ms) for part in segment.text.split()
        ]
    return words


def _graphemes(text: str) -> list[str]:
    import regex

    return regex.findall(r"\X", text)


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFC", text).casefold()
    return "".join(letter for letter in letters if unicodedata.category(letter)[0] in "LMN")
