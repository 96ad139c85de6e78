"""What the shell's commands show of the other machines of a cluster."""

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
from protocol.clock import now_iso
from protocol.cluster.health import NodeHealth
from protocol.cluster.logs import LogQuery, LogReport
from protocol.errors import NotRunningError, Problem, TransientError, UsageError
from protocol.messages import EnvironmentHealth, HealthReport, LoadedModel

LOGS = ("common", "supervisor", "whisperx")
MODEL = LoadedModel(key="whisper:whisper-base@cpu/int8", loads=1, load_ms=900, bytes=95, device="cpu")


def worker(name: str, node: str = "", **fields: Any) -> EnvironmentHealth:
    given = {"built": True, "optional": False, "stages": ("asr",), "state": "ready", "usable": True}
    return EnvironmentHealth(environment=name, worker=name, node=node, pid=7, **(given | fields))


class Shell:
    """Commands at a desk whose coordinator has one node, `big-box`, with these lines in each of its logs."""

    def __init__(self, home: Path) -> None:
        self.home = home
        (home / "envspecs").mkdir()
        self.lines = ["one", "two", "three\x1b[0m"]
        self.lost = self.silent = False
        self.looks = 0

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        if self.silent:
            raise NotRunningError("The coordinator does not answer.")
        if isinstance(message, LogQuery):
            return self._log(message)
        problem = Problem(sentence="It is lost.", remedy="On big-box: cpw up")
        node = NodeHealth(
            name="big-box",
            standing="lost" if self.lost else "present",
            since=now_iso(),
            problems=(problem,) if self.lost else (),
            models=("whisper-base",),
            cores=16,
            free_disk_bytes=10**12,
        )
        there = () if self.lost else (worker("whisperx", "big-box", rss_bytes=900_000_000, models=(MODEL,)),)
        return HealthReport(
            healthy=not self.lost, run="r", pid=1, uptime_ms=1, jobs_running=0, jobs_queued=0,
            environments=(worker("common", rss_bytes=100_000_000), *there), nodes=(node,),
        )  # fmt: skip

    def _log(self, query: LogQuery) -> LogReport:
        if query.node != "big-box":
            raise UsageError(f"There is no node {query.node!r}.", "Nodes: big-box.")
        if self.lost:
            raise TransientError("The node big-box does not answer.", "cpw health")
        if query.log not in LOGS:
            return LogReport(logs=LOGS)
        text = "".join(f"{line}\n" for line in [query.log, *self.lines])
        return LogReport(text=text[query.after or 0 :], end=len(text), logs=LOGS)

    def pause(self, _: float) -> None:
        self.looks += 1
        if self.looks == 3:
            raise KeyboardInterrupt
        self.lines.append(f"look {self.looks}")

    def run(self, *words: str) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        desk = Desk(
            home=self.home, runtime=self.home / "runtime", out=self.home / "out", report=Report(out, err),
            connect=lambda _: contextlib.nullcontext(self), pause=self.pause,
        )  # fmt: skip
        return main.run(main.cpw, words, "cpw", desk), out.getvalue(), err.getvalue()


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def test_health_has_a_part_for_a_node_with_its_own_workers(shell: Shell) -> None:
    code, out, _ = shell.run("health")
    here, _, there = out.partition("big-box: present since ")
    assert code == 0
    assert ("common" in here, "whisperx" in here) == (True, False)
    assert "  16 cores\n  1000.0 GB free on the disk, 1 model\n" in there
    assert ("common" in there, "\n  whisperx" in there) == (False, True)


def test_a_lost_node_ends_health_with_4_and_says_what_to_do(shell: Shell) -> None:
    shell.lost = True
    code, out, err = shell.run("health")
    assert code == 4
    assert "big-box: lost since " in out
    assert err == "error: big-box: It is lost.\n  try: On big-box: cpw up\n"


def test_the_document_of_health_has_the_nodes(shell: Shell) -> None:
    document = json.loads(shell.run("health", "--json")[1])
    assert document["nodes"][0]["name"] == "big-box"
    assert [row["node"] for row in document["environments"]] == ["", "big-box"]


def test_models_in_memory_say_on_which_node(shell: Shell) -> None:
    _, out, _ = shell.run("models", "ps")
    assert "whisperx on big-box  whisper:whisper-base@cpu/int8" in out
    assert "whisperx on big-box uses 900 MB\n" in out
    assert "all together use 100 MB, without a limit\nall together on big-box use 900 MB" in out


@pytest.mark.parametrize("name", ["big-box", "big-box:", "big-box:supervisor"])
def test_a_node_s_name_is_its_supervisor_s_log(shell: Shell, name: str) -> None:
    assert shell.run("logs", name)[:2] == (0, "supervisor\none\ntwo\nthree\\x1b[0m\n")


def test_a_worker_s_log_is_named_after_the_node_and_its_last_lines_are_shown(shell: Shell) -> None:
    assert shell.run("logs", "big-box:whisperx", "-n", "2")[:2] == (0, "two\nthree\\x1b[0m\n")
    assert shell.run("logs", "big-box:whisperx", "-n", "0")[:2] == (0, "")


def test_a_log_that_a_node_lacks_is_refused_with_those_it_has(shell: Shell) -> None:
    code, _, err = shell.run("logs", "big-box:nllb")
    assert code == 2
    assert "One of these: big-box:common, big-box:supervisor, big-box:whisperx" in err


def test_a_node_s_log_is_followed(shell: Shell) -> None:
    assert shell.run("logs", "big-box:whisperx", "-n", "1", "-f")[:2] == (
        130,
        "three\\x1b[0m\nlook 1\nlook 2\n",
    )


def test_a_lost_node_s_log_says_why_there_is_none(shell: Shell) -> None:
    shell.lost = True
    code, _, err = shell.run("logs", "big-box")
    assert (code, "The node big-box does not answer." in err) == (1, True)


@pytest.mark.parametrize("silent", [True, False])
def test_a_name_of_nothing_is_refused_whether_the_coordinator_answers_or_not(
    shell: Shell, silent: bool
) -> None:
    shell.silent = silent
    code, _, err = shell.run("logs", "whisperz")
    assert code == 2
    assert "One of these names: supervisor, coordinator" in err


def test_what_lies_here_goes_before_a_node_of_the_same_name(shell: Shell) -> None:
    (shell.home / "logs").mkdir()
    (shell.home / "logs" / "big-box.log").write_text("here\n")
    assert shell.run("logs", "big-box")[1] == "here\n"
    assert shell.run("logs", "big-box:")[1].startswith("supervisor\n")
