"""Where in a cue each spoken word begins, and when: for formats that light words up. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from protocol.timeline import Cue, Word
from workers.engines.common.formats.lines import is_blank

__all__ = ["Syllable", "syllables"]

_WHO = re.compile("[-\N{EN DASH}]? ?(?:\\[[^\\]]*\\] ?)?")
"""How a line tells who speaks."""
_DASH = re.compile(r"^(?:>>+|[-‐‑–—])(?=[^\d\s])")  # noqa: RUF001 (the dashes are meant)
_CONTINUES = frozenset({"Mn", "Mc", "Me"})
"""Unicode categories of signs that are never separated from the letter before them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Syllable:
    """A word's beginning: `at` characters into line `line` of its cue, said at `start_ms`."""

    line: int
    at: int
    start_ms: int


def syllables(cues: Sequence[Cue], words: Sequence[Word]) -> tuple[tuple[Syllable, ...], ...]:
    """Return where the words of each cue begin, in order; () for a cue whose text is not in `words`.

    Cues are found in the words in order, by their letters. A cue follows the one before. If text between them
    was removed, the cue is where the words' times meet its own. Times rise and lie within the cue, whatever
    the words' times are. If a word is in two cues, the second cue begins with it.
    """
    said = _SpokenLetters(words)
    return tuple(_of_cue(cue, *said.take(cue)) for cue in cues)


class _SpokenLetters:
    """The words' letters in a row, and how far cues have been found in them."""

    def __init__(self, words: Sequence[Word]) -> None:
        pairs = [(letter, word) for word in words for letter in _own_text(word) if _is_seen(letter)]
        self._letters = "".join(letter for letter, _ in pairs)
        self._owners = [word for _, word in pairs]
        self._place = 0

    def take(self, cue: Cue) -> tuple[list[Word], list[int]]:
        """Return the word that each letter of the cue is in, and where the words begin in each line.

        No words if the cue is not from these. Nobody says the hyphen of a speaker, or his name.
        """
        begins = [0] * len(cue.lines)
        told = [match.end() for line in cue.lines if (match := _WHO.match(line))] if cue.speakers else begins
        for starts in (begins, told):
            text = "".join(
                character
                for line, begin in zip(cue.lines, starts, strict=True)
                for character in line[begin:]
                if _is_seen(character)
            )
            if (at := self._find(text, cue)) >= 0:
                self._place = at + len(text)
                return self._owners[at : self._place], starts
        return [], begins

    def _find(self, text: str, cue: Cue) -> int:
        if not text or self._letters.startswith(text, self._place):
            return self._place
        at = self._letters.find(text, self._place)
        while at >= 0 and not _meet(self._owners[at], cue):
            at = self._letters.find(text, at + 1)
        return at


def _is_seen(letter: str) -> bool:
    """Return whether the search uses the letter: no joiner or mark of direction, as cutting may drop them."""
    return not is_blank(letter) and unicodedata.category(letter) != "Cf"


def _meet(word: Word, cue: Cue) -> bool:
    return word.start_ms <= cue.end_ms and word.end_ms >= cue.start_ms


def _own_text(word: Word) -> str:
    """Return the text of a word, where the speaker is known without his dash: his cue writes it."""
    return _DASH.sub("", word.text) if word.speaker else word.text


def _of_cue(cue: Cue, owners: Sequence[Word], begins: Sequence[int]) -> tuple[Syllable, ...]:
    found: list[Syllable] = []
    rest, before, now = iter(owners), None, cue.start_ms
    for number, line in enumerate(cue.lines if owners else ()):
        for at, letter in enumerate(line):
            if at < begins[number] or not _is_seen(letter):
                continue
            word = next(rest)
            if word is not before and unicodedata.category(letter) not in _CONTINUES:
                now = min(max(now, word.start_ms), cue.end_ms)
                found.append(Syllable(line=number, at=at, start_ms=now))
                before = word
    return tuple(found)
