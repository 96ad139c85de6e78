"""A text as pieces that can have times of their own, and how long a text is. Pure."""

from __future__ import annotations

import unicodedata
from itertools import accumulate

from protocol.languages import UNSPACED
from protocol.timeline import Word
from workers.text.writing import glue, join

__all__ = ["clean", "count_graphemes", "pieces_of", "share_time"]


def clean(text: str) -> str:
    """Return the text on one line, with single spaces and without lone surrogates.

    A model or a file may give lone surrogates, but UTF-8 cannot hold them: each becomes a question mark.
    """
    return " ".join(text.encode("utf-8", "replace").decode().split())


def count_graphemes(text: str) -> int:
    """Return about how many characters a reader sees: the code points that are no marks and no controls.

    Combining signs (Mn, Mc, Me) belong to the letter before them. Exact graphemes (Unicode UAX 29) would need
    a library; to compare lengths this count is enough.
    """
    return sum(unicodedata.category(character)[0] not in "MC" for character in text)


def pieces_of(text: str, language: str) -> list[str]:
    """Return the words of a text; in a language without spaces, its characters with their marks.

    `join(pieces, language)` gives the text back, as `clean` returns it. A space that `join` would not write,
    as between two clauses of Thai, stays inside a piece.
    """
    if language not in UNSPACED:
        return clean(text).split()
    pieces: list[str] = []
    for part in clean(text).split(" "):
        groups = glue(list(part), language)
        words = ["".join(part[index] for index in group) for group in groups]
        for place, word in enumerate(words):
            space = " " if pieces and place == 0 else ""
            if pieces and join((pieces[-1], word), language) != f"{pieces[-1]}{space}{word}":
                pieces[-1] += space + word
            else:
                pieces.append(word)
    return pieces


def share_time(texts: list[str], start_ms: int, end_ms: int) -> list[Word]:
    """Return the texts as words, one after the other, that share the time by their lengths.

    Each word has at least 1 ms where there are as many milliseconds as words.
    """
    if not texts:
        return []
    ends = list(accumulate((max(1, count_graphemes(text)) for text in texts), initial=0))
    span, count = max(0, end_ms - start_ms), len(texts)
    borders = [span * end // ends[-1] for end in ends]
    if count <= span:
        for index in range(1, count):
            borders[index] = min(max(borders[index], borders[index - 1] + 1), span - (count - index))
    return [
        Word(
            text=text,
            start_ms=start_ms + borders[index],
            end_ms=start_ms + borders[index + 1],
            timed_by="interpolated",
        )
        for index, text in enumerate(texts)
    ]
