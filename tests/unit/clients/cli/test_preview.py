"""What `cpw preview` says and opens; what it writes: tests/unit/engines/common/preview/test_page.py."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from pathlib import Path

import pytest

from clients import programs
from clients.cli import main, preview
from clients.desk import Desk
from clients.screen.report import Report

DOCUMENT = {
    "version": 1,
    "page": "/out/a job/preview/Film #1.html",
    "title": "Film #1",
    "media": {"file": "/films/Film #1.mp4", "kind": "film"},
    "tracks": [
        {"language": "hi", "cue_count": 1, "mark_count": 0},
        {"language": "en", "cue_count": 12, "mark_count": 1},
    ],
    "has_waveform": False,
    "notes": ["There is no waveform."],
}
ADDRESS = "file:///out/a%20job/preview/Film%20%231.html"


class Machine:
    """A job folder, an environment that answers `DOCUMENT`, and a browser that opens or does not."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.asked: list[tuple[str, ...]] = []
        self.opened: list[str] = []
        self.has_browser = True
        (folder / "job.json").write_text("{}")
        monkeypatch.setattr(programs, "run_in", self._run_in)
        monkeypatch.setattr(preview.webbrowser, "open", self._open)

    def _run_in(self, _, words, root, *, capture):
        self.asked.append(tuple(words))
        return subprocess.CompletedProcess(words, 0, stdout=json.dumps(DOCUMENT).encode())

    def _open(self, address):
        self.opened.append(address)
        return self.has_browser

    def run(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        desk = Desk(
            home=self.folder,
            runtime=self.folder / "runtime",
            out=self.folder / "out",
            report=Report(out, err),
            connect=lambda _: contextlib.nullcontext(),
        )
        return main.run(main.cpw, ("preview", *words), "cpw", desk), out.getvalue(), err.getvalue()


@pytest.fixture
def machine(tmp_path, monkeypatch):
    return Machine(tmp_path, monkeypatch)


def test_it_says_where_the_page_is_what_is_on_it_and_how_to_open_it(machine):
    code, out, err = machine.run(str(machine.folder))
    assert code == 0
    assert out == f"{DOCUMENT['page']}\n  Hindi: 1 cue\n  English: 12 cues, 1 mark\n"
    assert err == f"note: There is no waveform.\nopen it in a browser: {ADDRESS}\n"
    assert machine.opened == []
    assert machine.asked == [
        ("-I", "-m", "workers.engines.common.preview", "--json", "--", str(machine.folder))
    ]


def test_it_opens_the_page_in_the_systems_browser_where_that_is_asked_for(machine):
    code, _, err = machine.run(str(machine.folder), "--open")
    assert (code, machine.opened) == (0, [ADDRESS])
    assert "open it" not in err


def test_a_machine_without_a_browser_is_told_so_and_nothing_has_failed(machine):
    machine.has_browser = False
    code, out, err = machine.run(str(machine.folder), "--open")
    assert (code, out.splitlines()[0]) == (0, DOCUMENT["page"])
    assert "no browser could be started" in err


def test_one_document_for_a_machine(machine):
    code, out, err = machine.run(str(machine.folder), "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {**DOCUMENT, "opened": False}


def test_another_place_for_the_page_is_handed_on_as_an_absolute_path(machine, monkeypatch):
    monkeypatch.chdir(machine.folder)
    machine.run(str(machine.folder), "--out", "-look.html")
    assert f"--out={machine.folder}/-look.html" in machine.asked[0]


def test_a_word_that_is_no_job_is_refused(machine):
    code, out, err = machine.run("film.mp4")
    assert (code, out) == (2, "")
    assert "neither a job nor a job folder" in err
