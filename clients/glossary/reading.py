"""Reads a glossary: CSV, TSV and `a = b` lines. Pure; `clients.glossary.sources` opens files.

A file may mix them: what `cpw glossary suggest` prints can be pasted below the rows of a CSV file. What is
wrong is told by the number of its line.
"""

from __future__ import annotations

import csv
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from protocol.errors import UsageError
from protocol.jobs.glossary import Term
from protocol.languages import find_tag

__all__ = ["LONGEST_TERM", "MOST_TERMS", "Glossary", "GlossaryLine", "read_glossary"]

MOST_TERMS = 2_000
"""A glossary travels in every submission."""
LONGEST_TERM = 200
"""Letters of a term: a name, not a sentence."""
_SOURCE, _TARGET, _NOTE = "source", "target", "note"
_PAIR = (_SOURCE, _TARGET)
"""What the sides of `a = b` are, whatever columns the rows have."""
_MOST_LINES = 50
"""Of a row. A quotation mark that nobody closes would swallow the whole file."""
_DELIMITERS = ("\t", ";", ",")
_LONGEST_CODE = 3
_REMEDY = "cpw glossary check FILE shows how it is read."


@dataclass(frozen=True, kw_only=True)
class GlossaryLine:
    """A term and the line where it stands."""

    line: int
    term: Term


@dataclass(frozen=True, kw_only=True)
class Glossary:
    """What a file says."""

    rows: tuple[GlossaryLine, ...] = ()
    problems: tuple[str, ...] = ()
    """Why it cannot be used, each with its line."""
    notes: tuple[str, ...] = ()
    """What is odd about it, and how it is understood."""

    @property
    def terms(self) -> tuple[Term, ...]:
        """Return the terms."""
        return tuple(row.term for row in self.rows)


@dataclass
class _Content:
    """What was read so far."""

    columns: tuple[str, ...] = (_SOURCE, _TARGET, _NOTE)
    """What the cells of a row are: `source`, `target`, `note`, or the tag of a language."""
    rows: list[GlossaryLine] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def wrong(self, line: int, problem: str) -> None:
        self.problems.append(f"line {line}: {problem}")


def read_glossary(content: bytes) -> Glossary:
    """Return the terms of a file, and what is wrong with it."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        return Glossary(problems=(f"line {line}: it is not UTF-8. Save the file as UTF-8.",))
    found = _Content()
    first = True
    for line, cells, is_pair in _records(text, found):
        header = _columns(cells) if first and not is_pair else None
        first = False
        if header is not None:
            _take_header(header, line, found)
        else:
            _take(cells, line, found, _PAIR if is_pair else found.columns)
    if len(found.rows) > MOST_TERMS:
        found.problems.append(f"it has {len(found.rows)} terms, and {MOST_TERMS} are the most.")
    rows, notes = _settled(found.rows)
    return Glossary(rows=rows, problems=tuple(found.problems), notes=tuple(notes))


def _records(text: str, found: _Content) -> Iterator[tuple[int, Sequence[str], bool]]:
    """Yield each row's line, its cells (a quoted one may go over lines), and whether it is `a = b`."""
    lines = text.splitlines(keepends=True)
    delimiter = _delimiter(lines)
    position = 0
    while position < len(lines):
        line = lines[position]
        number = position + 1
        pair = _equation(line, delimiter)
        if not line.strip() or line.lstrip().startswith("#"):
            position += 1
        elif pair is not None:
            position += 1
            yield number, pair, True
        else:
            rest = lines[position : position + _MOST_LINES]
            reader = csv.reader(rest, delimiter=delimiter, skipinitialspace=True, strict=True)
            try:
                cells = next(reader)
            except csv.Error as error:
                found.wrong(number, f"its quotation marks are not right ({error}).")
                position += 1
                continue
            position += reader.line_num
            yield number, tuple(map(_plain, cells)), False


def _delimiter(lines: Sequence[str]) -> str:
    """Return what separates cells: the one of the first row that has one, a tab before the others.

    A spreadsheet writes a semicolon where a comma is a decimal point.
    """
    for line in lines:
        if line.lstrip().startswith("#"):
            continue
        present = [mark for mark in _DELIMITERS if mark in line]
        if present and _equation(line, present[0]) is None:
            return min(present, key=lambda mark: (mark != "\t", line.index(mark)))
    return ","


def _equation(line: str, delimiter: str) -> tuple[str, str] | None:
    """Return both sides of `a = b`; None for a line that has cells or a quotation mark before the `=`."""
    left, mark, right = line.partition("=")
    if not mark or delimiter in left or '"' in left:
        return None
    return _plain(left), _plain(right)


def _plain(cell: str) -> str:
    return unicodedata.normalize("NFC", " ".join(cell.split()))


def _columns(cells: Sequence[str]) -> tuple[str, ...] | None:
    """Return what the columns are where the first row says it; an unknown name stays as it is written."""
    names = [cell.casefold() for cell in cells]
    if _SOURCE in names:
        return tuple(name if name in (_SOURCE, _TARGET, _NOTE) else _tag(name) or name for name in names)
    tags = [name if name == _NOTE else _tag(name) for name in names]
    languages = [tag for tag in tags if tag and tag != _NOTE]
    if not all(tags) or len(languages) < 2 or len(set(languages)) < len(languages):
        return None
    # The first language is the film's own.
    return tuple(_SOURCE if tag == languages[0] else str(tag) for tag in tags)


def _tag(name: str) -> str:
    """Return the tag of a language's code; empty for other words, and for names, which may be terms."""
    if len(name.replace("_", "-").partition("-")[0]) > _LONGEST_CODE:
        return ""
    try:
        return str(find_tag(name))
    except UsageError:
        return ""


def _take_header(columns: tuple[str, ...], line: int, found: _Content) -> None:
    for column in columns:
        if column not in (_SOURCE, _TARGET, _NOTE) and not _tag(column):
            known = "source, target, note or the code of a language"
            found.wrong(line, f"there is no column {column!r}: write {known}.")
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    for column in repeated:
        found.wrong(line, f"the column {column!r} is there twice.")
    found.columns = columns


def _take(cells: Sequence[str], line: int, found: _Content, columns: tuple[str, ...]) -> None:
    """Add the terms of a row, one for each language that it has a target for."""
    extra = [cell for cell in cells[len(columns) :] if cell]
    if extra:
        told = f"it has {len(cells)} columns, and {len(columns)} are known"
        found.wrong(line, f"{told}: put a cell that has a comma into quotation marks.")
        return
    row = dict(zip(columns, cells, strict=False))
    source, note = row.pop(_SOURCE, ""), row.pop(_NOTE, "")
    if not source:
        if note or any(row.values()):
            found.wrong(line, "its source is empty.")
        return
    if long := [cell for cell in cells if len(cell) > LONGEST_TERM]:
        found.wrong(
            line, f"{long[0][:20]!r}... is {len(long[0])} letters long, and {LONGEST_TERM} are the most."
        )
        return
    everywhere = row.pop(_TARGET, "")
    terms = [
        Term(source=source, target=target, language=column, note=note)
        for column, target in row.items()
        if target
    ]
    if everywhere or not terms:
        terms.insert(0, Term(source=source, target=everywhere, note=note))
    found.rows += [GlossaryLine(line=line, term=term) for term in terms]


def _settled(rows: Sequence[GlossaryLine]) -> tuple[tuple[GlossaryLine, ...], list[str]]:
    """Return each source once for each language, and notes of what was written twice: the last counts."""
    kept: dict[tuple[str, str], GlossaryLine] = {}
    notes = []
    for row in rows:
        term = row.term
        key = term.source.casefold(), term.language
        earlier = kept.pop(key, None)
        if earlier is not None and earlier.term.written == term.written:
            notes.append(f"line {row.line}: {term.source!r} is in line {earlier.line} already.")
        elif earlier is not None:
            told = f"{term.source!r} is {earlier.term.written!r} in line {earlier.line}"
            notes.append(f"line {row.line}: {told} and {term.written!r} here: this line counts.")
        kept[key] = row
    return tuple(sorted(kept.values(), key=lambda row: row.line)), notes
