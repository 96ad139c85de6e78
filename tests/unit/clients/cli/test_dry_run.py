"""`cpw submit --dry-run`, against a coordinator in the test's hands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocol.errors import ErrorInfo, ErrorKind, NotRunningError
from protocol.jobs.dry_run import DryRun, DryRunReport, FilmForecast, StepForecast
from protocol.messages import HealthReport
from tests.unit.clients.cli.test_jobs import Shell

STEP = StepForecast(
    name="asr", stage="asr", environment="whisperx", model="whisper-base", reasons=("why",), takes_ms=None
)


def answer(message: Any) -> Any:
    """Answer as a coordinator that has nothing else to do; a film that is named bad is refused."""
    if not isinstance(message, DryRun):
        return HealthReport(
            healthy=True, run="1", pid=1, uptime_ms=1, environments=(), jobs_running=0, jobs_queued=0
        )
    error = ErrorInfo(kind=ErrorKind.INPUT, message="It is not there.", remedy="Look.")
    films = tuple(
        FilmForecast(
            media=submit.media,
            workflow=submit.workflow,
            steps=(STEP,),
            error=error if "bad" in submit.media else None,
        )
        for submit in message.submissions
    )
    return DryRunReport(films=films, waits_ms=0, memory_bytes=3_400_000_000)


@pytest.fixture
def films(tmp_path: Path) -> tuple[str, str]:
    for name in ("good.mkv", "bad.mkv"):
        (tmp_path / name).write_bytes(b"film")
    return str(tmp_path / "good.mkv"), str(tmp_path / "bad.mkv")


def test_it_shows_the_steps_and_submits_nothing(tmp_path: Path, films: tuple[str, str]) -> None:
    shell = Shell(tmp_path, answer)
    code, out, _ = shell.run("submit", films[0], "-w", "transcribe", "--dry-run")
    assert code == 0
    assert "good.mkv: transcribe, how long: not known yet on this machine" in out
    assert "asr   whisperx     whisper-base     ?  why" in out
    assert out.endswith("memory: about 3.4 GB for models, libraries not counted\nnothing was submitted\n")
    assert [type(message).__name__ for message in shell.asked] == ["HealthQuery", "DryRun"]
    assert not (tmp_path / "out").exists()


def test_a_film_that_would_be_refused_is_told_beside_the_others(
    tmp_path: Path, films: tuple[str, str]
) -> None:
    code, out, err = Shell(tmp_path, answer).run("submit", *films, "-w", "transcribe", "--dry-run")
    assert code == 1
    assert "good.mkv: transcribe" in out
    assert "bad.mkv: It is not there." in err


def test_as_json_it_is_one_document(tmp_path: Path, films: tuple[str, str]) -> None:
    words = ("submit", films[0], "-w", "transcribe", "--dry-run", "--json")
    code, out, _ = Shell(tmp_path, answer).run(*words)
    document = json.loads(out)
    assert code == 0
    assert document["version"] == 1
    assert document["films"][0]["steps"][0]["environment"] == "whisperx"
    assert (document["takes_ms"], document["memory_bytes"]) == (None, 3_400_000_000)


def test_where_nothing_runs_it_says_what_a_submission_says(tmp_path: Path, films: tuple[str, str]) -> None:
    def silent(_: Any) -> Any:
        raise NotRunningError("Nobody.")

    said = {
        Shell(tmp_path, silent).run("submit", films[0], "-w", "transcribe", *more)
        for more in ((), ("--dry-run",))
    }
    assert len(said) == 1
    assert said.pop()[0] == 4


def test_it_does_not_go_with_watching_or_detaching(tmp_path: Path, films: tuple[str, str]) -> None:
    for other in ("--watch", "--detach"):
        code, _, err = Shell(tmp_path, answer).run("submit", films[0], "-w", "transcribe", "--dry-run", other)
        assert code == 2
        assert "--dry-run cannot be used" in err
