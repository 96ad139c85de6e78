"""The voices of a job, and those that are known, as a person is told of them."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest

from clients.cli import main
from clients.desk import Desk
from clients.screen.report import Report
from clients.voices import first_lines
from protocol.artefacts import write_json
from protocol.jobs.voices import SpeakersReport, VoicesReport
from protocol.schema import to_plain
from protocol.timeline import Segment, Transcript, Word


@pytest.mark.parametrize(
    ("language", "text"), [("ja", "今日は学校"), ("zh-Hant", "今日は学校"), ("hi", "今日 は 学校")]
)
def test_the_first_lines_are_written_as_their_language_is(tmp_path: Path, language: str, text: str) -> None:
    words = tuple(
        Word(text=part, start_ms=200 * at, end_ms=200 * at + 150, speaker="1")
        for at, part in enumerate(("今日", "は", "学校"))
    )
    segment = Segment(start_ms=0, end_ms=550, text="今日は学校", words=words)
    write_json(tmp_path / "said.json", to_plain(Transcript(language=language, segments=(segment,))))
    report = SpeakersReport(job="job", series="A", told_apart="yes", transcript=str(tmp_path / "said.json"))
    assert [line.text for line in first_lines(report)["1"]] == [text]


@pytest.mark.parametrize(
    ("words", "told", "code"),
    [
        (("--forget-all",), "this machine knows no voices\n", 0),
        (("--forget-all", "--series", "Sholay"), "this machine knows no voices of Sholay\n", 0),
        (("--forget", "Gabbar"), "This machine knows no voice 'Gabbar'.", 2),
        (("job-1", "--name", "1=Gabbar", "--name", "1=Basanti"), "--name names voice 1 twice.", 2),
    ],
)
def test_what_is_asked_for_in_vain_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str, code: int
) -> None:
    monkeypatch.setattr(
        "clients.cli.films.speakers.ask_coordinator", lambda *_, **__: VoicesReport(voices=())
    )
    out = io.StringIO()
    desk = Desk(
        home=tmp_path,
        runtime=tmp_path / "runtime",
        out=tmp_path / "out",
        report=Report(out, out),
        connect=lambda _: contextlib.nullcontext(),
    )
    assert main.run(main.cpw, ("speakers", *words), "cpw", desk) == code
    assert told in out.getvalue()
