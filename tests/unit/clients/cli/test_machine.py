"""`cpw models ps` and `cpw hardware`."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from clients.cli import main
from clients.desk import Desk
from clients.screen.report import Report
from protocol.errors import NotRunningError
from protocol.hardware import Hardware
from protocol.messages import EnvironmentHealth, HealthReport, LoadedModel

MODEL = LoadedModel(key="whisper:whisper-base@cpu/int8", loads=3, load_ms=900, bytes=95_000_000, device="cpu")


class Shell:
    """Commands at a desk whose coordinator answers with `report`, or is silent."""

    def __init__(self, tmp_path: Path) -> None:
        self.home = tmp_path
        (tmp_path / "envspecs").mkdir()
        self.models: tuple[LoadedModel, ...] = (MODEL,)
        self.silent = False

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> HealthReport:
        if self.silent:
            raise NotRunningError("The coordinator does not answer.")
        environment = EnvironmentHealth(
            environment="whisperx", built=True, optional=False, stages=("asr",), state="ready", usable=True,
            pid=4711, rss_bytes=800_000_000, models=self.models,
        )  # fmt: skip
        return HealthReport(
            healthy=True, run="r", pid=1, uptime_ms=1, environments=(environment,), jobs_running=0,
            jobs_queued=0, hardware=Hardware(platform="Linux", machine="x86_64", cpu="AMD EPYC", cores=2),
        )  # fmt: skip

    def run(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        desk = Desk(
            home=self.home,
            runtime=self.home / "runtime",
            out=self.home / "out",
            report=Report(out, err),
            connect=lambda _: contextlib.nullcontext(self),
        )
        return main.run(main.cpw, words, "cpw", desk), out.getvalue(), err.getvalue()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_ps_shows_what_is_loaded_where(shell: Shell) -> None:
    code, out, _ = shell.run("models", "ps")
    assert code == 0
    assert "whisperx" in out
    assert "whisper:whisper-base@cpu/int8" in out
    assert "all together use 800 MB" in out


def test_ps_says_that_nothing_is_loaded(shell: Shell) -> None:
    shell.models = ()
    code, out, _ = shell.run("models", "ps")
    assert (code, out.startswith("no model is loaded")) == (0, True)


def test_ps_as_a_document(shell: Shell) -> None:
    code, out, _ = shell.run("models", "ps", "--json")
    document = json.loads(out)
    assert (code, document["version"]) == (0, 1)
    assert document["workers"][0]["models"][0]["loads"] == 3


def test_ps_without_anybody_to_ask(shell: Shell) -> None:
    shell.silent = True
    code, _, err = shell.run("models", "ps")
    assert (code, "make up" in err) == (4, True)


def test_a_wrong_word_after_ps_is_refused(shell: Shell) -> None:
    code, _, err = shell.run("models", "ps", "whisperx")
    assert code == 2
    assert "whisperx" in err


def test_hardware_needs_nothing_to_run_and_is_kept(shell: Shell) -> None:
    shell.silent = True
    code, out, _ = shell.run("hardware")
    assert code == 0
    assert "cores to use" in out
    kept = json.loads((shell.home / "state" / "hardware.json").read_text())
    kept["hardware"]["cpu"] = "another one"
    (shell.home / "state" / "hardware.json").write_text(json.dumps(kept))
    assert "another one" in shell.run("hardware")[1]
    assert "another one" not in shell.run("hardware", "--refresh")[1]
    assert json.loads(shell.run("hardware", "--json")[1])["cores"] >= 1


def test_health_shows_the_machine_in_a_line(shell: Shell) -> None:
    assert "hardware: AMD EPYC, 2 cores, no GPU\n" in shell.run("health")[1]
