"""Reads the lines that are labelled by hand, and counts what a splitter gets wrong in them.

`sentences/<group>.txt`: a language (ISO 639-1), a tab, and sentences with ` | ` between them.
`words/<group>.txt`: the same with `|` where a word ends, and `~` where some say that one does: a border there
is neither asked for nor wrong. Everywhere else a border is inside a word.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from protocol.timeline import Segment
from workers.text.sentences import join_sentences

__all__ = [
    "SENTENCE_GROUPS",
    "WORD_GROUPS",
    "SentenceLine",
    "WordLine",
    "ends_of",
    "our_sentences",
    "sentence_lines",
    "word_lines",
    "wrong_borders",
    "wrong_ends",
]

SENTENCE_GROUPS = ("page", "english", "german", "hindi", "tamil", "russian", "others", "unseen")
WORD_GROUPS = ("chinese", "japanese", "thai", "others")
_HERE = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class SentenceLine:
    """A text of several sentences."""

    language: str
    sentences: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text as it is written."""
        space = "" if self.language in ("zh", "ja") else " "
        return space.join(self.sentences)


@dataclass(frozen=True, kw_only=True)
class WordLine:
    """A text without spaces, and the places where its words end."""

    language: str
    text: str
    asked: frozenset[int]
    allowed: frozenset[int]


def sentence_lines(group: str) -> list[SentenceLine]:
    """Return the lines of a group."""
    return [
        SentenceLine(language=language, sentences=tuple(text.split(" | ")))
        for language, text in _rows("sentences", group)
    ]


def word_lines(group: str) -> list[WordLine]:
    """Return the lines of a group."""
    return [_word_line(language, text) for language, text in _rows("words", group)]


def _rows(kind: str, group: str) -> Iterable[tuple[str, str]]:
    for row in (_HERE / kind / f"{group}.txt").read_text(encoding="utf-8").splitlines():
        language, _, text = row.partition("\t")
        yield language, text


def _word_line(language: str, marked: str) -> WordLine:
    text, asked, allowed = "", set(), set()
    for letter in marked:
        if letter == "|":
            asked.add(len(text))
        elif letter == "~":
            allowed.add(len(text))
        else:
            text += letter
    return WordLine(language=language, text=text, asked=frozenset(asked), allowed=frozenset(allowed | asked))


def our_sentences(text: str, language: str) -> list[str]:
    """Return the sentences that our translators get of a text."""
    segment = Segment(start_ms=0, end_ms=1_000, text=text)
    return [sentence.text for sentence in join_sentences([segment], language)]


def ends_of(sentences: Sequence[str]) -> set[int]:
    """Return where sentences end inside their text, its spaces not counted."""
    lengths = [len("".join(sentence.split())) for sentence in sentences]
    return set(accumulate(lengths)) - {sum(lengths)}


def wrong_ends(line: SentenceLine, split: Callable[[str, str], Sequence[str]]) -> int:
    """Return how many sentence ends a splitter, by text and language, does not see, or sees where none is."""
    return len(ends_of(line.sentences) ^ ends_of(split(line.text, line.language)))


def wrong_borders(line: WordLine, borders: Collection[int]) -> tuple[int, int]:
    """Return how many borders are inside a word, and how many ends of words have none."""
    found = {border for border in borders if 0 < border < len(line.text)}
    return len(found - line.allowed), len(line.asked - found)
