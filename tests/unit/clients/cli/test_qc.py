"""`cpw qc` where its check cannot run or answers nonsense; what it shows: tests/integration/test_qc.py."""

from __future__ import annotations

import contextlib
import io
import subprocess
from pathlib import Path

import pytest

import envspecs
from clients import programs
from clients.cli import main
from clients.desk import Desk
from clients.screen.report import Report


def run(home: Path, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    desk = Desk(
        home=home,
        runtime=home / "runtime",
        out=home / "out",
        report=Report(out, err),
        connect=lambda _: contextlib.nullcontext(),
    )
    return main.run(main.cpw, words, "cpw", desk), out.getvalue(), err.getvalue()


def test_without_the_environment_it_says_how_to_build_it(tmp_path):
    (tmp_path / "envspecs").mkdir()
    spec = (envspecs.layout.specs_directory() / "common.toml").read_text()
    (tmp_path / "envspecs" / "common.toml").write_text(spec)
    code, out, err = run(tmp_path, "qc", "a.srt")
    assert (code, out) == (3, "")
    assert "python3 -m envspecs build common" in err


@pytest.mark.parametrize("answer", [b"", b"Killed", b"{", b"[]", b'{"ok": true}', b'{"error": {}}'])
def test_a_check_that_dies_is_said_to_have_died(tmp_path, monkeypatch, answer):
    ended = subprocess.CompletedProcess(args=[], returncode=-9, stdout=answer)
    monkeypatch.setattr(programs, "run_in", lambda *_, **__: ended)
    code, out, err = run(tmp_path, "qc", "a.srt")
    assert (code, out) == (1, "")
    assert "The check of a.srt ended without an answer (exit code -9)." in err
