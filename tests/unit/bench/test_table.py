"""One table shows all figures, on the terminal and in the document."""

from __future__ import annotations

import re

import pytest

from tests.bench.figures import Machine, Measured, Record
from tests.bench.table import BEGIN, COLUMNS, DOCUMENT, END, between_markers, table, with_table
from tests.data import ROOT

HEADER = "| what | ours | peer | ratio | limit | spread | kept |"


def measured(**fields: object) -> Measured:
    usual: dict[str, object] = {
        "name": "film",
        "ours": 7.0,
        "peer": 10.0,
        "ratio": 0.7,
        "limit": 0.75,
        "ok": True,
        "spread": (0.65, 0.72),
        "unit": "s",
        "command": "make bench-film",
        "date": "2026-03-01T12:00:00Z",
        "commit": "abc",
    }
    return Measured(**(usual | fields))


def record(*figures: Measured) -> Record:
    machine = Machine(cores=2, processor="a processor", memory_gb=8.0)
    return Record(machine=machine, figures=figures)


def test_a_row_shows_both_times_their_ratio_its_limit_and_spread() -> None:
    lines = table(record(measured())).splitlines()
    assert lines[0] == "Measured on 2 cores of a processor, 8.00 GB, no GPU; 2026-03-01; commit abc."
    assert lines[2] == HEADER
    assert lines[4] == "| film | 7.00 s | 10.0 s | 0.70 | 0.75 | 0.65 to 0.72 | yes |"


def test_what_is_over_its_limit_stands_out_and_what_has_none_is_not_judged() -> None:
    rows = table(
        record(measured(ok=False), measured(peer=None, ratio=None, limit=None, date="2026-03-02T"))
    ).splitlines()
    assert rows[-2].endswith("| **no** |")
    assert rows[-1] == "| film | 7.00 s |  |  |  | 0.65 to 0.72 |  |"
    assert "2026-03-01 to 2026-03-02" in rows[0]


def test_without_a_file_the_table_is_empty_and_says_so() -> None:
    said = table(None)
    assert said.startswith("Nothing has been measured yet.")
    assert HEADER in said


def test_the_document_has_its_markers_and_the_columns_between_them() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert (text.count(BEGIN), text.count(END)) == (1, 1)
    assert "| " + " | ".join(COLUMNS) + " |" in between_markers(text).splitlines()


def test_the_document_says_what_each_bench_compares() -> None:
    (benches,) = re.findall(r"^BENCHES := (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    rows = re.findall(r"^\| `make bench-([\w-]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == benches.split()


def test_only_what_stands_between_the_markers_is_replaced() -> None:
    text = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    once = with_table(text, "new\n")
    assert once == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    assert with_table(once, "new\n") == once


@pytest.mark.parametrize("text", ["", BEGIN, END])
def test_a_document_without_a_marker_is_not_written(text: str) -> None:
    with pytest.raises(ValueError, match="substring not found"):
        with_table(text, "new\n")
