"""What `cpw export` understands of its options; what it writes: tests/integration/test_export.py."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from clients import programs
from clients.cli import main
from clients.desk import Desk
from clients.screen.report import Report

ANSWER = b'{"job": "job-1", "folder": "/out", "files": [], "notes": []}'


def run(folder: Path, *words: str) -> tuple[int, str]:
    """Return the exit code and what stderr says."""
    (folder / "job.json").write_text("{}")
    err = io.StringIO()
    desk = Desk(
        home=folder,
        runtime=folder / "runtime",
        out=folder / "out",
        report=Report(io.StringIO(), err),
        connect=lambda _: contextlib.nullcontext(),
    )
    return main.run(main.cpw, ("export", str(folder), *words), "cpw", desk), err.getvalue()


@pytest.fixture
def requests(monkeypatch) -> list[dict[str, Any]]:
    """Return what is asked of the environment, which answers that all is well."""
    asked: list[dict[str, Any]] = []

    def answer(_, words, root, *, capture):
        asked.append(json.loads(words[-1]))
        return subprocess.CompletedProcess(words, 0, stdout=ANSWER)

    monkeypatch.setattr(programs, "run_in", answer)
    return asked


def test_a_number_is_set_with_its_stage_or_without(tmp_path, requests):
    assert run(tmp_path, "--set", "max_lines=1", "--set", " subtitle.min_gap_ms = 0") == (0, "")
    assert [request["settings"] for request in requests] == [{"max_lines": 1, "min_gap_ms": 0}]


def test_the_language_of_a_film_in_which_nothing_is_said_can_be_named(tmp_path, requests):
    assert run(tmp_path, "-l", "und,Hindi") == (0, "")
    assert run(tmp_path, "--bilingual", "und+hi", "--burn", "und") == (0, "")
    assert [request["languages"] for request in requests] == [["und", "hi"], []]
    assert (requests[1]["pairs"], requests[1]["burn"]) == ([["und", "hi"]], "und")


@pytest.mark.parametrize("word", ["max_lines", "max_lines=", "subtitle.max_lines= ", "max_lines=none", ""])
def test_a_setting_without_a_value_is_told_how_to_have_one(tmp_path, word):
    code, told = run(tmp_path, "--set", word)
    assert code == 2
    assert f"--set {word!r} is not of the form field=value." in told
    assert "Write for example max_lines=1." in told


@pytest.mark.parametrize("word", ["lines=1", "=1", "formats=ass", "subtitle.karaoke=true", "asr.model=small"])
def test_only_what_can_be_set_is_offered(tmp_path, word):
    code, told = run(tmp_path, "--set", word)
    assert code == 2
    assert "an export cannot change that" in told
    assert "pause_ms" in told
    assert "frames_per_second" not in told


@pytest.mark.parametrize("word", ["max_lines=two", "subtitle.max_lines=1.5"])
def test_what_is_no_number_is_refused(tmp_path, word):
    code, told = run(tmp_path, "--set", word)
    assert (code, "is not a whole number" in told) == (2, True)
