"""Stretches of lines that are in another language than they should be. Pure.

Lines are judged in blocks of about 200 characters, for of one line nobody is sure. A block that is not all of
one language is judged again in halves, so that a stretch is found where it begins. One line in another
language is no fault: people quote, sing and swear.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from workers.text.languages.telling import (
    LEAST_LETTERS,
    Judge,
    ToldLanguage,
    bare_words,
    is_in_letters_of,
    is_other,
    tell,
)

__all__ = ["BLOCK_CHARACTERS", "Foreign", "Line", "blocks_of", "foreign_in", "main_language"]

BLOCK_CHARACTERS = 200
_HALF = 80
"""A part of a block has at least so many characters."""
_CLEAR = 0.9
"""A block this sure is of one language."""
_ENTER = 0.7
"""A stretch in another language begins where that is this sure ..."""
_STAY = 0.5
"""... and goes on where it is this sure."""
_LEAST_LINES = 2
_LEAST_OF_A_STRETCH = 100
"""Letters; a shorter stretch is what people quote."""
_LEAST_OF_ALL = 40
"""Letters, where there is no other line."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A cue or a segment: its place among all, its text, and the language it should be in."""

    place: int
    text: str
    language: str


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """Lines, by their places, that are in `language` and should be in another one."""

    places: tuple[int, ...]
    language: str
    instead_of: str


@dataclass(frozen=True, kw_only=True)
class _Judged:
    lines: tuple[Line, ...]
    told: ToldLanguage | None


@dataclass(frozen=True, kw_only=True)
class _OtherRun:
    language: str
    instead_of: str
    pieces: list[_Judged]

    def goes_on(self, told: ToldLanguage, meant: str) -> bool:
        """Return whether a piece that is told so belongs to it."""
        return (told.language, meant) == (self.language, self.instead_of) and told.probability >= _STAY


def blocks_of(lines: Sequence[Line]) -> Iterator[tuple[Line, ...]]:
    """Yield the lines in blocks; none goes over a change of the language that lines should be in.

    The rest of a run of lines is a block of its own if it has half of the characters, else it belongs to the
    block before it.
    """
    for _, run in groupby(lines, key=lambda line: line.language):
        done: list[tuple[Line, ...]] = []
        block: list[Line] = []
        for line in run:
            block.append(line)
            if _length(block) >= BLOCK_CHARACTERS:
                done.append(tuple(block))
                block = []
        if block and done and _length(block) < BLOCK_CHARACTERS / 2:
            done[-1] += tuple(block)
        elif block:
            done.append(tuple(block))
        yield from done


def foreign_in(lines: Sequence[Line], judge: Judge) -> tuple[Foreign, ...]:
    """Return the stretches that are in another language than they should be, in order.

    Each has two lines and a hundred letters, or is all that there is, and has forty.
    """
    lines = [line for line in lines if bare_words(line.text)]
    pieces = [piece for block in blocks_of(lines) for piece in _pieces(block, judge)]
    found = []
    for stretch in _stretches(pieces):
        wrong = [line for piece in stretch.pieces for line in piece.lines if not _is_right(line, judge)]
        kept = _with_neighbours(wrong, lines, stretch.language, judge)
        if _is_long(kept, lines):
            places = tuple(line.place for line in kept)
            found.append(Foreign(places=places, language=stretch.language, instead_of=stretch.instead_of))
    return tuple(found)


def main_language(lines: Sequence[Line], judge: Judge) -> str:
    """Return the language that most of the text is in; empty where that is not sure."""
    letters: dict[str, int] = {}
    for block in blocks_of(lines):
        told = tell(_text(block), judge)
        if told:
            letters[told.language] = letters.get(told.language, 0) + _length(block)
    best = max(letters, key=lambda language: letters[language], default="")
    return best if letters.get(best, 0) * 2 >= _length(lines) else ""


def _pieces(lines: tuple[Line, ...], judge: Judge) -> Iterator[_Judged]:
    """Yield the block, or its halves where it is not clearly of one language."""
    told = tell(_text(lines), judge)
    middle = _middle(lines)
    if (told and told.probability >= _CLEAR) or not middle:
        yield _Judged(lines=lines, told=told)
        return
    yield from _pieces(lines[:middle], judge)
    yield from _pieces(lines[middle:], judge)


def _middle(lines: Sequence[Line]) -> int:
    """Return where the lines can be parted in the middle; 0 where a part would be too short."""
    half, done = _length(lines) / 2, 0
    for place, line in enumerate(lines):
        done += len(line.text)
        if done >= half:
            first, second = done, _length(lines) - done
            return place + 1 if min(first, second) >= _HALF else 0
    return 0


def _stretches(pieces: Sequence[_Judged]) -> Iterator[_OtherRun]:
    """Yield pieces in a row that are in one other language."""
    stretch: _OtherRun | None = None
    for piece in pieces:
        told, meant = piece.told, piece.lines[0].language
        if told and stretch and stretch.goes_on(told, meant):
            stretch.pieces.append(piece)
            continue
        if stretch:
            yield stretch
        stretch = None
        if told and told.probability >= _ENTER and is_other(told, meant):
            stretch = _OtherRun(language=told.language, instead_of=meant, pieces=[piece])
    if stretch:
        yield stretch


def _with_neighbours(
    kept: Sequence[Line], lines: Sequence[Line], language: str, judge: Judge
) -> tuple[Line, ...]:
    """Return the lines with those beside them that are in the same other language by themselves."""
    if not kept:
        return ()
    order = {line.place: number for number, line in enumerate(lines)}
    first, last = order[kept[0].place], order[kept[-1].place]
    before, after = [], []
    while first and _is_in(lines[first - 1], language, judge):
        first -= 1
        before.append(lines[first])
    while last + 1 < len(lines) and _is_in(lines[last + 1], language, judge):
        last += 1
        after.append(lines[last])
    return (*before[::-1], *kept, *after)


def _is_in(line: Line, language: str, judge: Judge) -> bool:
    """Return whether a line beside a stretch is in its language: by itself, or by its letters alone."""
    if is_in_letters_of(line.text, language, line.language):
        return True
    told = tell(line.text, judge)
    return bool(
        told
        and told.language == language
        and is_other(told, line.language)
        and told.probability >= _ENTER
        and len(bare_words(line.text)) >= LEAST_LETTERS / 2
    )


def _is_right(line: Line, judge: Judge) -> bool:
    told = tell(line.text, judge)
    return bool(told and told.probability >= _ENTER and not is_other(told, line.language))


def _is_long(kept: Sequence[Line], lines: Sequence[Line]) -> bool:
    letters = sum(len(bare_words(line.text)) for line in kept)
    if len(kept) == len(lines):
        return letters >= _LEAST_OF_ALL
    return len(kept) >= _LEAST_LINES and letters >= _LEAST_OF_A_STRETCH


def _text(lines: Sequence[Line]) -> str:
    return "\n".join(line.text for line in lines)


def _length(lines: Sequence[Line]) -> int:
    return sum(len(line.text) for line in lines)
