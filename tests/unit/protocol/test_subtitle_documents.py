"""The documents of export, quality check and preview: what is written is read back, in this order of keys."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocol.errors import SchemaError
from protocol.schema import from_json, to_plain
from protocol.subtitles.export import ExportedFile, ExportRequest, ExportResult
from protocol.subtitles.preview import PreviewMedia, PreviewResult, PreviewTrack
from protocol.subtitles.quality import BrokenCue, CheckedFilm, FileReport, RuleReport

REPORT = FileReport(
    file="/films/a.srt",
    format="srt",
    encoding="utf-8",
    film=CheckedFilm(file="/films/a.mp4", frames_per_second=24.0, duration_ms=30_000),
    profile="netflix",
    rules=(
        RuleReport(
            rule="reading_speed",
            limit=20.0,
            count=1,
            cues=(BrokenCue(cue=1, start_ms=0, end_ms=900, lines=("Why?",), value=27.5, limit=20.0),),
        ),
        RuleReport(rule="line_length", limit=42),
    ),
)
EXPORT = ExportResult(
    job="job-1",
    folder="/out",
    files=(ExportedFile(path="/out/a.mp4", language="hi", format="mp4", cue_count=None, quality=""),),
    notes=("Gone.",),
)
PREVIEW = PreviewResult(
    page="/out/a.html",
    title="a",
    media=PreviewMedia(file="/films/a.mp4", kind="copy"),
    tracks=(PreviewTrack(language="hi", cue_count=2, mark_count=1),),
    has_waveform=False,
    notes=(),
)
REQUEST = ExportRequest(pairs=(("hi", "en"),), settings={"max_lines": 1})


@pytest.mark.parametrize("document", [REPORT, EXPORT, PREVIEW, REQUEST])
def test_a_document_is_read_as_it_was_written(document: Any) -> None:
    written = json.dumps(to_plain(document))
    assert from_json(type(document), written, strict=True) == document
    assert json.dumps(to_plain(from_json(type(document), written))) == written


def test_a_report_says_first_which_file_it_is_of() -> None:
    assert list(to_plain(REPORT)) == [
        "version",
        "file",
        "format",
        "encoding",
        "film",
        "frames_per_second",
        "language_by",
        "lines",
        "profile",
        "language",
        "media_duration_ms",
        "ok",
        "sentence",
        "cue_count",
        "rules",
    ]


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"files": [Infinity]}', "[" * 100_000])
def test_what_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(ExportResult, text)


def test_python_s_own_numbers_are_taken_where_that_is_asked_for() -> None:
    assert from_json(dict[str, float], '{"a": Infinity}', nan=True) == {"a": float("inf")}


def test_a_document_of_another_form_is_refused_by_its_path() -> None:
    with pytest.raises(SchemaError, match=r"^a\.json\.files: "):
        from_json(ExportResult, '{"job": "", "folder": "", "files": 3, "notes": []}', path="a.json")
