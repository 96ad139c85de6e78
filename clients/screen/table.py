"""Tables as data and their layout. Pure.

Rich's tables shorten a cell at its end, and terminals disagree about the width of Indic vowel signs. Here
cells are shortened in the middle, and names of films are in the last columns, where they move no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from clients.screen.text import pad, shorten, visible, width

__all__ = ["Cell", "Column", "Line", "Table", "fits", "lay_out", "plain"]

_GAP = 2


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column; `drop` above 0: left out on a narrow screen, the highest first."""

    title: str
    right: bool = False
    drop: int = 0
    least: int = 0
    """The width that it may be shortened to, in cells; 0: it is never shortened."""
    styled: bool = False
    """Whether its words are states, which are shown in colours."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of words under columns."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A piece of a line; `style` is a state's word, `title`, or empty."""

    text: str
    style: str = ""


Line = tuple[Cell, ...]


def lay_out(table: Table, limit: int | None) -> list[Line]:
    """Return the table's lines, none wider than `limit`; None (a pipe, a file): as wide as needed."""
    shown = _visible(table)
    if limit is not None:
        shown = _drop_columns(shown, limit)
    widths = _shrink(shown.columns, _widths(shown), limit)
    lines = [_line(shown.columns, widths, tuple(column.title for column in shown.columns), header=True)]
    lines += [_line(shown.columns, widths, row, header=False) for row in shown.rows]
    return lines


def fits(table: Table, limit: int | None) -> bool:
    """Return whether the whole table can be shown without leaving anything out."""
    return limit is None or _total(_widths(_visible(table))) <= limit


def plain(line: Line) -> str:
    """Return the line as plain text."""
    return "".join(piece.text for piece in line).rstrip()


def _visible(table: Table) -> Table:
    rows = tuple(tuple(visible(cell) for cell in row) for row in table.rows)
    # An empty column takes room and says nothing.
    used = [i for i, column in enumerate(table.columns) if not column.drop or any(row[i] for row in rows)]
    return _keep(Table(columns=table.columns, rows=rows), used)


def _keep(table: Table, kept: Sequence[int]) -> Table:
    return Table(
        columns=tuple(table.columns[i] for i in kept),
        rows=tuple(tuple(row[i] for i in kept) for row in table.rows),
    )


def _widths(table: Table) -> list[int]:
    return [
        max([width(column.title), *(width(row[i]) for row in table.rows)])
        for i, column in enumerate(table.columns)
    ]


def _total(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * max(0, len(widths) - 1)


def _drop_columns(table: Table, limit: int) -> Table:
    while True:
        widths = _widths(table)
        least = [
            min(cells, column.least or cells) for column, cells in zip(table.columns, widths, strict=True)
        ]
        droppable = max(range(len(widths)), key=lambda i: table.columns[i].drop, default=0)
        if _total(least) <= limit or not table.columns[droppable].drop:
            return table
        table = _keep(table, [i for i in range(len(widths)) if i != droppable])


def _shrink(columns: Sequence[Column], widths: list[int], limit: int | None) -> list[int]:
    if limit is None:
        return widths
    shrunk = list(widths)
    while (over := _total(shrunk) - limit) > 0:
        able = [i for i, column in enumerate(columns) if column.least and shrunk[i] > column.least]
        if not able:
            break
        widest = max(able, key=lambda i: shrunk[i])
        others = [shrunk[i] for i in able if i != widest]
        floor = max(columns[widest].least, min(shrunk[widest] - 1, max(others, default=0)))
        shrunk[widest] = max(floor, shrunk[widest] - over)
    return shrunk


def _line(columns: Sequence[Column], widths: Sequence[int], row: Sequence[str], *, header: bool) -> Line:
    cells: list[Cell] = []
    last = len(columns) - 1
    for i, (column, cells_wide, text) in enumerate(zip(columns, widths, row, strict=True)):
        cut = shorten(text, cells_wide) if column.least else text
        filled = cut if i == last and not column.right else pad(cut, cells_wide, right=column.right)
        style = "title" if header else text if column.styled else ""
        cells.append(Cell(text=filled, style=style))
        if i < last:
            cells.append(Cell(text=" " * _GAP))
    return tuple(cells)
