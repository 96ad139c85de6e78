"""`cpw compare` where it cannot compare all; what it shows: tests/integration/test_compare.py."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.cli import compare as command
from clients.cli import main
from clients.comparing import references
from clients.desk import Desk
from clients.screen.report import Report
from envspecs.setup.defaults import SETUP
from protocol.errors import BugError, InputError, TransientError
from protocol.subtitles.comparing import CueScores, ScoreOrder, Scores, TrackFile
from protocol.timeline import Cue
from tests.house import ROOT

CUES = (Cue(start_ms=0, end_ms=1_000, lines=("One line",)), Cue(start_ms=2_000, end_ms=3_000, lines=("Two",)))


def run(home: Path, *words: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    desk = Desk(
        home=home,
        runtime=home / "runtime",
        out=home / "out",
        report=Report(out, err),
        connect=lambda _: contextlib.nullcontext(),
    )
    return main.run(main.cpw, ("compare", *words), "cpw", desk), out.getvalue(), err.getvalue()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a.srt",), "There is nothing to compare a.srt with."),
        (("a", "b", "--reference", "c"), "you named two"),
        (("a.srt", "--reference", "c", "-l", "Klingon"), "Klingon"),
        (("a", "b", "--lines", "-1"), "--lines"),
    ],
)
def test_a_wrong_wish_is_refused_before_anything_is_read(
    tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    code, out, err = run(tmp_path, *words)
    assert (code, out) == (2, "")
    assert said in err


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home with the spec of the measuring environment, unbuilt, and two files read as `CUES`."""
    (tmp_path / "envspecs").mkdir()
    (tmp_path / "envspecs" / "scores.toml").write_text((ROOT / "envspecs" / "scores.toml").read_text())
    for name in ("a.en.srt", "b.en.srt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)

    def read(_: Desk, __: str, words: list[str], *___: object) -> TrackFile:
        return TrackFile(file=words[-1], format="srt", language="en", language_by="name", cues=CUES)

    monkeypatch.setattr(references, "ask_once", read)
    return tmp_path


def test_a_word_that_is_nothing_here_is_refused(files: Path) -> None:
    code, out, err = run(files, "none.srt", "--reference", "b.en.srt")
    assert (code, out) == (2, "")
    assert "none.srt is neither a file that is here nor a job." in err


def test_where_nothing_is_fetched_by_itself_the_rest_is_shown(files: Path) -> None:
    code, out, err = run(files, "a.en.srt", "--reference", "b.en.srt")
    assert code == 0
    assert "word error rate            0.000" in out
    assert "SubER" not in out
    assert "chrF++ and SubER were not measured: cpw envs build scores builds" in err


def test_the_first_wish_builds_the_libraries_and_says_so(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(SETUP)
    built: list[str] = []
    monkeypatch.setattr(command, "build", lambda spec, *_: built.append(spec.name))
    scores = Scores(cues=CueScores(chrf=100.0, suber=0.0, cues=()))

    def measure(_: Path, order: ScoreOrder) -> Scores:
        assert order.cues is not None
        assert (order.cues.reference, order.cues.language) == (CUES, "en")
        return scores

    monkeypatch.setattr(command, "measure", measure)
    monkeypatch.setattr(command, "worst_lines", lambda *_: ())
    code, out, err = run(files, "a.en.srt", "--reference", "b.en.srt")
    assert (code, built) == (0, ["scores"])
    assert "SubER                      0.0" in out
    assert "scores measures chrF and SubER; it is built now, once (90 MB)" in err


def test_a_library_that_breaks_down_keeps_nobody_from_the_rest(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "build_state", lambda *_: "built")

    def fail(*_: object) -> Scores:
        raise BugError("The measuring of the texts ended without an answer: AssertionError.", "rebuild it")

    monkeypatch.setattr(command, "measure", fail)
    code, out, err = run(files, "a.en.srt", "--reference", "b.en.srt")
    assert code == 0
    assert "word error rate            0.000" in out
    assert (
        "not measured: The measuring of the texts ended without an answer: AssertionError. Try: rebuild"
        in err
    )


@pytest.mark.parametrize(
    "error", [TransientError("No packages came.\nThe network is down."), InputError("A wheel is damaged.")]
)
def test_what_cannot_be_built_keeps_nobody_from_the_rest(
    files: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.delenv(SETUP)

    def fail(*_: object) -> Mapping[str, str]:
        raise error

    monkeypatch.setattr(command, "build", fail)
    code, out, err = run(files, "a.en.srt", "--reference", "b.en.srt", "--json")
    assert code == 0
    assert '"suber": null' in out
    assert (
        "scores could not be built: " + " ".join(str(error).split()) + " Again: cpw envs build scores" in err
    )
