"""Subtitle formats and rules are known in one place; who writes them and the documents say the same."""

from __future__ import annotations

import re
from typing import get_args, get_type_hints

from protocol.stages.subtitle import SubtitleRequest
from protocol.subtitles.formats import FORMATS, WRITTEN_FORMATS
from protocol.subtitles.rules import QUALITY_RULES
from tests.contract.source import ROOT
from workers.engines.common.cues.checking.quality import to_report
from workers.engines.common.cues.cut import CueRules
from workers.engines.common.formats.writing import WRITERS


def test_every_format_of_a_row_has_its_writer() -> None:
    assert tuple(WRITERS) == WRITTEN_FORMATS


def test_a_job_is_asked_for_the_formats_of_the_rows() -> None:
    (member, _) = get_args(get_type_hints(SubtitleRequest)["formats"])
    assert get_args(member) == WRITTEN_FORMATS


def test_the_document_has_a_row_for_every_format() -> None:
    text = (ROOT / "docs" / "subtitles.md").read_text()
    table = text.partition("| format | what |")[2].partition("\n\n")[0]
    named = re.findall(r"`(\w+)`", " ".join(line.split("|")[1] for line in table.splitlines()[2:]))
    assert tuple(named) == WRITTEN_FORMATS


def test_the_list_of_options_names_every_format() -> None:
    options = (ROOT / "docs" / "cli.md").read_text()
    assert f"`subtitle.formats` takes some of `{','.join(WRITTEN_FORMATS)}`" in options


def test_the_rows_of_formats_fit_together() -> None:
    written = [row for row in FORMATS.values() if row.written]
    assert all(row.suffix in ("", f".{row.name}") for row in written)
    assert {row.name for row in FORMATS.values() if row.read_order} <= {
        row.name for row in written if row.readable
    }
    orders = [row.read_order for row in FORMATS.values() if row.read_order]
    assert sorted(orders) == list(range(1, len(orders) + 1))


def test_a_report_has_every_rule_in_the_order_of_the_rows() -> None:
    report = to_report((), CueRules(), ())
    assert [rule.rule for rule in report.rules] == list(QUALITY_RULES)
