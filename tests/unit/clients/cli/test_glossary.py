"""`cpw glossary`: what it prints of a job and of a file. Nothing runs for it."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path

import pytest

from clients.cli import main
from clients.desk import Desk
from clients.glossary.reading import read_glossary
from clients.screen.report import Report
from protocol.schema import to_plain
from protocol.timeline import Segment, Transcript


def run(home: Path, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    desk = Desk(
        home=home,
        runtime=home / "runtime",
        out=home / "out",
        report=Report(out, err),
        connect=lambda _: contextlib.nullcontext(),
    )
    return main.run(main.cpw, ("glossary", *words), "cpw", desk), out.getvalue(), err.getvalue()


@pytest.fixture
def job(tmp_path: Path) -> Path:
    texts = ("I saw Gabbar.", "Did Gabar come?", "No, Gabbar did.")
    segments = tuple(
        Segment(start_ms=60_000 * place, end_ms=60_000 * place + 900, text=text)
        for place, text in enumerate(texts)
    )
    for folder, language, said in (("07_align", "en", segments), ("10_translate", "fr", ())):
        (tmp_path / folder).mkdir()
        name = "transcript.json" if said else "transcript.fr.json"
        document = to_plain(Transcript(language=language, segments=said))
        (tmp_path / folder / name).write_text(json.dumps(document))
    paths = ("07_align/transcript.json", "10_translate/transcript.fr.json")
    stages = [{"stage": path[3:8], "artefacts": [{"path": path}]} for path in paths]
    (tmp_path / "manifest.json").write_text(json.dumps({"stages": stages}))
    (tmp_path / "job.json").write_text("{}")
    return tmp_path


def test_what_is_suggested_can_be_pasted_into_a_glossary(job):
    code, out, err = run(job, "suggest", str(job))
    assert code == 0
    assert "# Gabbar: 2 times (00:00:00" in out
    assert "00:02:00" in out
    assert "# Gabar: 1 time (00:01:00" in out
    found = read_glossary(b"source,target\nJai,Jai\n" + out.encode())
    assert not found.problems
    pairs = [(term.source, term.target) for term in found.terms]
    assert pairs == [("Jai", "Jai"), ("Gabbar", "Gabbar"), ("Gabar", "Gabbar")]
    assert "which may be wrong" in err


def test_nothing_is_suggested_where_each_name_has_one_spelling(job):
    code, out, err = run(job, "suggest", str(job), "--least", "9")
    assert (code, out) == (0, "")
    assert "no name was heard in two spellings" in err


def test_suggestions_as_a_document(job):
    document = json.loads(run(job, "suggest", str(job), "--json")[1])
    assert [spelling["text"] for spelling in document["names"][0]] == ["Gabbar", "Gabar"]


def test_a_job_without_a_transcript_says_so(job):
    (job / "07_align" / "transcript.json").write_text("[")
    code, _, err = run(job, "suggest", str(job))
    assert code == 1
    assert "has no transcript that can be read" in err


def test_a_file_is_shown_as_it_is_read(tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("source,en,note\nGabbar,Gabbar Singh,a bandit\nGabbar,Gabbar,\nRamgarh,,\n")
    code, out, err = run(tmp_path, "check", str(names))
    assert (code, err) == (0, "")
    assert "Ramgarh" in out
    assert "the same" in out
    assert "line 3: 'Gabbar' is 'Gabbar Singh' in line 2 and 'Gabbar' here: this line counts." in out
    assert out.rstrip().endswith("names.csv: 2 terms")


def test_a_file_that_cannot_be_used_is_told_by_its_lines(tmp_path):
    names = tmp_path / "names.csv"
    names.write_text("a,b,c,d\n,x\n")
    code, _, err = run(tmp_path, "check", str(names))
    assert code == 1
    assert "line 1: it has 4 columns" in err
    assert "line 2: its source is empty" in err
    document = json.loads(run(tmp_path, "check", str(names), "--json")[1])
    assert len(document["problems"]) == 2
    assert run(tmp_path, "check", "nowhere.csv")[0] == 2
