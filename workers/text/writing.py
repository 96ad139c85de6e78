"""How languages are written: where a word, a clause and a sentence end. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from protocol.languages import UNSPACED
from protocol.timeline import Segment, Word
from workers.text.sentence_ends.marks import CLOSERS
from workers.text.sentence_ends.rule import ends_sentence, find_ends

__all__ = ["cut_to_sentences", "ends_clause", "glue", "is_punctuation", "join"]


_CLAUSE_ENDS = ",;:—–،؛、，；：､"  # noqa: RUF001 (the letters are meant)
_CLOSERS = "\"'”’»)]}」』）"  # noqa: RUF001 (the letters are meant)
_OPENERS = "\"'“‘«([{「『（¿¡"  # noqa: RUF001 (the letters are meant)
_JOINING = "\u200d\u0e33\u0eb3"
"""No marks, but part of the grapheme before them: the joiner, and AM of Thai and Lao (Unicode UAX 29)."""
_JOINS_NEXT = "\u200d\u17d2\u1039\u0e40\u0e41\u0e42\u0e43\u0e44\u0ec0\u0ec1\u0ec2\u0ec3\u0ec4"
"""The grapheme goes on after these: the joiner, signs that put the next letter below (Khmer, Burmese), and
vowels of Thai and Lao that stand before their consonant (Unicode Logical_Order_Exception)."""
_LONG_PAUSE_MS = 2_000
"""A longer pause ends a segment, whatever the punctuation."""


def is_punctuation(text: str) -> bool:
    """Return whether the text has nothing to speak."""
    return not any(
        unicodedata.category(character)[0] in "LNM" or character in "%&+=@€$£₹°" for character in text
    )


def ends_clause(word: str, following: str, language: str) -> bool:
    """Return whether a clause or a sentence ends with the word: it has a comma, a dash, a full stop."""
    return word.rstrip(CLOSERS)[-1:] in tuple(_CLAUSE_ENDS) or ends_sentence(word, following, language)


def join(words: Sequence[str], language: str) -> str:
    """Return the words as the language writes them, with spaces or without.

    Between Latin words and numbers there is a space in every language.
    """
    if language not in UNSPACED:
        return " ".join(words)
    text = ""
    for word in words:
        text += " " if _is_latin(text[-1:]) and _is_latin(word[:1]) else ""
        text += word
    return text


def _is_latin(text: str) -> bool:
    return text.isascii() and text.isalnum()


def glue(pieces: Sequence[str], language: str) -> list[list[int]]:
    """Return the indices of the pieces of a tokenizer that make each word.

    In a language with spaces a word is what stands between two of them, with its punctuation, hyphens and
    apostrophes; no grapheme is split. In a language without, each piece is a word. But punctuation belongs to
    the word before it (opening punctuation to the word after it), and a mark to the letter before it.
    Punctuation that stands alone (a dash) belongs to the word before it, or to the first word.
    """
    groups: list[list[int]] = []
    for index, piece in enumerate(pieces):
        if groups and _belongs(piece, "".join(pieces[group] for group in groups[-1]), language):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [group for group in groups if "".join(pieces[index] for index in group).strip()]


def _belongs(piece: str, before: str, language: str) -> bool:
    if not before.strip():
        return True
    opened = all(character in _OPENERS for character in before.strip())
    if language not in UNSPACED:
        opening = piece.strip() and all(character in _OPENERS for character in piece.strip())
        alone = piece.startswith(" ") and is_punctuation(piece) and not opening
        return not piece.startswith(" ") or alone or is_punctuation(before)
    bare = piece.strip()
    combines = bool(bare) and (unicodedata.category(bare[0])[0] == "M" or bare[0] in _JOINING)
    closing = is_punctuation(piece) and not (bare and bare[0] in _OPENERS and bare[0] not in _CLOSERS)
    latin = _is_latin(bare) and _is_latin(before[-1])
    goes_on = opened or before[-1] in _JOINS_NEXT
    return goes_on or combines or closing or (latin and not piece.startswith(" "))


def cut_to_sentences(segment: Segment, language: str) -> list[Segment]:
    """Return the segment cut after each sentence and at long pauses; each part has the times of its words."""
    groups: list[list[Word]] = []
    ends = [True, *find_ends([word.text for word in segment.words], language)]
    for word, opens in zip(segment.words, ends, strict=False):
        if opens or word.start_ms - groups[-1][-1].end_ms > _LONG_PAUSE_MS:
            groups.append([word])
        else:
            groups[-1].append(word)
    return [
        replace(
            segment,
            start_ms=words[0].start_ms,
            end_ms=words[-1].end_ms,
            text=join([word.text for word in words], language),
            words=tuple(words),
        )
        for words in groups
    ]
