"""What an older run has left is removed at the next start."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil

from envspecs.processes.leftovers import sweep
from envspecs.processes.variables import COOKIE


def test_processes_with_our_cookie_and_their_unfinished_files_go_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / ".supervisor.json.4711.part").write_text("{")
    (tmp_path / "supervisor.json").write_text("{}")
    program = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    ours = subprocess.Popen(program, stdin=subprocess.PIPE, env={**os.environ, COOKIE: str(tmp_path)})
    other = subprocess.Popen(
        program, stdin=subprocess.PIPE, env={**os.environ, COOKIE: str(tmp_path / "other")}
    )
    try:
        assert sweep(tmp_path) == 1
        assert not psutil.pid_exists(ours.pid)
        assert other.poll() is None
        assert [path.name for path in tmp_path.iterdir()] == ["supervisor.json"]
    finally:
        for process in (ours, other):
            process.communicate()
