"""The figures of all benches as one table: `make bench` prints it, `make bench-docs` puts it into a document.

`python -m tests.bench.table` prints; with `--document` it replaces what stands between the two markers of
docs/performance.md.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.bench.figures import Measured, Record, number, place, read_record
from tests.data import ROOT

__all__ = ["BEGIN", "COLUMNS", "DOCUMENT", "END", "between_markers", "table", "with_table"]

DOCUMENT = ROOT / "docs" / "performance.md"
BEGIN = "<!-- written by make bench-docs -->"
END = "<!-- end of what make bench-docs writes -->"
COLUMNS = ("what", "ours", "peer", "ratio", "limit", "spread", "kept")
NOTHING = "Nothing has been measured yet."


def table(record: Record | None) -> str:
    """Return where it was measured, and the figures as a table of Markdown."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "| --- " * len(COLUMNS) + "|"]
    if record is None:
        return "\n".join([NOTHING, "", *lines]) + "\n"
    lines += ["| " + " | ".join(_cells(figure)) + " |" for figure in record.figures]
    return "\n".join([_where(record), "", *lines]) + "\n"


def _where(record: Record) -> str:
    machine = record.machine
    gpus = ", ".join(machine.gpus) or "no GPU"
    days = _one_or_both([figure.date[:10] for figure in record.figures])
    commits = ", ".join(dict.fromkeys(figure.commit for figure in record.figures if figure.commit))
    said = f"Measured on {machine.cores} cores of {machine.processor}, {number(machine.memory_gb)} GB, {gpus}"
    return f"{said}; {days}; commit {commits or 'unknown'}."


def _one_or_both(days: Sequence[str]) -> str:
    first, last = min(days, default=""), max(days, default="")
    return first if first == last else f"{first} to {last}"


def _cells(figure: Measured) -> list[str]:
    low, high = map(number, figure.spread)
    return [
        figure.name.replace("|", "\\|"),
        f"{number(figure.ours)} {figure.unit}",
        "" if figure.peer is None else f"{number(figure.peer)} {figure.unit}",
        "" if figure.ratio is None else number(figure.ratio),
        "" if figure.limit is None else number(figure.limit),
        f"{low} to {high}",
        "" if figure.limit is None else "yes" if figure.ok else "**no**",
    ]


def between_markers(text: str) -> str:
    """Return what stands between the markers of a document; `ValueError` where one is missing."""
    return text[text.index(BEGIN) + len(BEGIN) : text.index(END)]


def with_table(text: str, made: str) -> str:
    """Return the document with another table; `ValueError` where a marker is missing."""
    return text.replace(BEGIN + between_markers(text) + END, f"{BEGIN}\n{made}{END}")


def main(document: Path | None) -> int:
    """Print the table, or write it into the document."""
    made = table(read_record(place()))
    if document is None:
        sys.stdout.write(made)
    else:
        document.write_text(with_table(document.read_text(encoding="utf-8"), made), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(DOCUMENT if "--document" in sys.argv[1:] else None))
