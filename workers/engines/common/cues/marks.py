"""Marks that open or close what stands beside them: dashes of speakers, quotes, notes, signs of money. Pure.

A mark that stands alone between two spaces belongs to the word after it or before it. Which one depends on
the mark, on the language, and on what is open: `« so »` in French, `» so «` in German, `” so ”` in Swedish.
"""

# ruff: noqa: RUF001 - the marks of many scripts are meant here, not mistyped Latin.

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto

import regex

__all__ = ["DASHES", "NOTES", "Side", "find_bonds", "find_turns", "is_lone", "lone_side"]

DASHES = "-‐‑‒–—―−﹘﹣－"
NOTES = "♪♫♩♬🎵🎶"
_HYPHENS = "-‐‑−﹣－"
_INTERRUPTIONS = ("--", "—", "–")
_ARROWS = ">>"
"""Captions of broadcasts open each speaker's text with it."""
_OPENING = "([{「『（【〈《〔［｛¿¡„‚‘"
_CLOSING = ")]}」』）】〉》〕］｝.,;:?!…。．，、！？：；।॥۔؟،؛%‰°℃"
_ASIDE_STARTS = ("(", "[", "（", "［")
_ASIDE_ENDS = (")", "]", "）", "］")
_LONGEST_ASIDE = 8
_FAMILIES = {mark: family for family in ("«»", "‹›", '“”„‟"', NOTES) for mark in family}
_REVERSED = frozenset({"de", "da", "cs", "sk", "sl", "hr", "sr", "bs", "hu", "pl", "sv", "fi"})
"""Languages that also write »so« or »so»."""
_LOW = _REVERSED - {"da", "hu", "pl", "sv", "fi"} | {
    "bg",
    "lt",
    "lv",
    "et",
    "is",
    "mk",
    "sq",
    "ka",
    "uk",
    "ru",
}
"""Languages that write „so“."""
_SAME = frozenset({"sv", "fi"})
"""Languages that write ”so”."""
_NUMBER = regex.compile(r"\p{Sc}?\p{Nd}")
_MONEY = regex.compile(r"\p{Sc}+")
_COUNTING = frozenset("№§#")
_WRITTEN = regex.compile(r"[\p{L}\p{N}\p{M}]")
_LEADING = regex.compile(r"^[^\p{L}\p{N}\p{M}]*")
_ANY = regex.compile(r".*")
_TRAILING = regex.compile(r"[^\p{L}\p{N}\p{M}]*$")
_FURTHEST = 4
"""So many marks may stand between a speaker's dash and his first word."""


class Side(Enum):
    """Where the word stands that a lone mark belongs to."""

    NEITHER = auto()
    AFTER = auto()
    BEFORE = auto()


def is_lone(text: str) -> bool:
    """Return whether a part of a text has neither letter nor digit."""
    return not _WRITTEN.search(text)


def lone_side(text: str, language: str) -> Side:
    """Return the side of a lone mark as far as the mark and the language alone tell it."""
    first = text[:1]
    if first in _OPENING and text:
        return Side.AFTER
    if first in _CLOSING and text:
        return Side.BEFORE
    if first == "“" and language not in _LOW:
        return Side.AFTER
    if first in "«‹" and text and language not in _REVERSED:
        return Side.AFTER
    closes = (first in "»›" and language not in _REVERSED) or (first in "”’" and language not in _SAME)
    return Side.BEFORE if text and closes else Side.NEITHER


def find_turns(texts: Sequence[str], ends: Sequence[bool]) -> list[bool]:
    """Return for each part of a text whether it opens a speaker's turn: by a dash where a sentence begins.

    `ends` says where sentences end. A dash before a small letter goes on with a sentence, `— he said`, if the
    text has capitals; one before a number is a minus. After a speaker's turn, though, somebody answers.
    """
    cased = any(letter.isupper() for text in texts for letter in text)
    turns: list[bool] = []
    answers = speaks = False
    for place, text in enumerate(texts):
        if place and ends[place - 1]:
            answers, speaks = speaks, False
        opens = text.startswith(_ARROWS)
        if not opens and text and text[0] in DASHES and text[1:2] not in (*DASHES, ">"):
            first = _first_letter(texts, place)
            answered = answers and text[0] in _HYPHENS
            opens = _may_open(texts, ends, place, first) and _is_speech(first, cased=cased, answers=answered)
        speaks = speaks or opens
        turns.append(opens)
    return turns


def _first_letter(texts: Sequence[str], place: int) -> str:
    """Return the first letter or digit behind a dash, or an ellipsis before it; empty if there is none."""
    for text in (texts[place][1:], *texts[place + 1 : place + _FURTHEST]):
        bare = _LEADING.sub("", text)
        if bare:
            return "…" if "…" in text[: -len(bare)] or "..." in text[: -len(bare)] else bare[0]
    return ""


def _may_open(texts: Sequence[str], ends: Sequence[bool], place: int, first: str) -> bool:
    """Return whether a sentence may begin here: one has ended or broken off, or a noise was named."""
    for before in range(place - 1, max(-1, place - 1 - _FURTHEST), -1):
        text = texts[before]
        if ends[before] or text[-1:] in NOTES:
            return True
        if text[-1:] in _ASIDE_ENDS:
            begin = _aside_start(texts, before)
            return begin == 0 or (begin > 0 and ends[begin - 1])
        if not is_lone(text):
            return text.endswith(_INTERRUPTIONS) and first.isupper()
        if text[-1:] in _OPENING + DASHES:
            return False
    return place <= _FURTHEST


def _aside_start(texts: Sequence[str], place: int) -> int:
    """Return where what is in brackets up to `place` begins, `[door opens]`; -1 if nowhere."""
    for begin in range(place, max(-1, place - _LONGEST_ASIDE), -1):
        if texts[begin][:1] in _ASIDE_STARTS:
            return begin
    return -1


def _is_speech(first: str, *, cased: bool, answers: bool) -> bool:
    if first.isdecimal() or (first.islower() and cased):
        return answers
    return first != ""


def find_bonds(
    texts: Sequence[str], turns: Sequence[bool], apart: Sequence[bool], language: str
) -> list[bool]:
    """Return for each part of a text whether a lone mark binds it to the part before it.

    `turns` are those of `find_turns`; `apart` says which parts come after a long pause.
    """
    marks = _Marks(texts, turns, apart, language)
    sides = [marks.side(place) for place in range(len(texts))]
    bonds = [False] * len(texts)
    for place in range(1, len(texts)):
        bonds[place] = (
            sides[place] is Side.BEFORE
            or sides[place - 1] is Side.AFTER
            or _is_range(texts, place, turns)
            or _is_range(texts, place - 1, turns)
        )
    return bonds


def _is_range(texts: Sequence[str], place: int, turns: Sequence[bool]) -> bool:
    """Return whether a dash stands between two numbers: `1990 - 1995`."""
    if not 0 < place < len(texts) - 1 or texts[place] not in DASHES or turns[place]:
        return False
    return texts[place - 1][-1:].isdecimal() and _NUMBER.match(texts[place + 1]) is not None


class _Marks:
    """The marks of a text, asked about in order: what is open decides what a mark does."""

    def __init__(
        self, texts: Sequence[str], turns: Sequence[bool], apart: Sequence[bool], language: str
    ) -> None:
        self._texts, self._turns, self._apart, self._language = texts, turns, apart, language
        self._open: set[str] = set()

    def side(self, place: int) -> Side:
        """Return the side of the part at `place` if it is a lone mark, and remember what it opens."""
        text = self._texts[place]
        if text.isalpha():
            return Side.NEITHER
        if not is_lone(text):
            self._mark(_LEADING.match(text), opens=True)
            self._mark(_TRAILING.search(text), opens=False)
            return Side.NEITHER
        found = Side.AFTER if self._turns[place] else lone_side(text, self._language)
        if found is Side.NEITHER:
            found = self._by_neighbours(place)
        self._mark(_ANY.match(text), opens=found is Side.AFTER)
        return found

    def _mark(self, marks: regex.Match[str] | None, *, opens: bool) -> None:
        families = {_FAMILIES[mark] for mark in (marks[0] if marks else "") if mark in _FAMILIES}
        self._open = self._open | families if opens else self._open - families

    def _by_neighbours(self, place: int) -> Side:
        text = self._texts[place]
        if text[:1] in NOTES:
            return self._of_note(place)
        if text[:1] in _FAMILIES:
            return Side.BEFORE if _FAMILIES[text[0]] in self._open else Side.AFTER
        behind, ahead = self._beside(place - 1)[-1:], self._beside(place + 1)
        if _MONEY.fullmatch(text) and behind.isdecimal():
            return Side.BEFORE
        if not _NUMBER.match(ahead):
            return Side.NEITHER
        if _MONEY.fullmatch(text) or text in _COUNTING:
            return Side.AFTER
        return Side.AFTER if text in _HYPHENS and not behind.isdecimal() else Side.NEITHER

    def _of_note(self, place: int) -> Side:
        """Return the side of a note: of two the first closes and the other opens, one alone does in turn."""
        behind, ahead = self._beside(place - 1), self._beside(place + 1)
        begins = not behind or self._apart[place]
        stops = not ahead or self._apart[place + 1]
        if begins or stops:
            return Side.NEITHER if begins and stops else Side.AFTER if begins else Side.BEFORE
        if (ahead[0] in NOTES) != (behind[-1] in NOTES):
            return Side.BEFORE if ahead[0] in NOTES else Side.AFTER
        return Side.BEFORE if _FAMILIES[NOTES[0]] in self._open else Side.AFTER

    def _beside(self, place: int) -> str:
        return self._texts[place] if 0 <= place < len(self._texts) else ""
