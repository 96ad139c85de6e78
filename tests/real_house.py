"""This checkout's own environments and models, with a state, a runtime directory and outputs of their own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from clients.connection import Client
from protocol.messages import HealthQuery, HealthReport, JobReport, StatusQuery
from tests.data import ROOT

BIN = ROOT / "venv" / "common" / "bin"


class RealHouse:
    """Use as a context manager; everything is done through the commands that people type."""

    def __init__(self, tmp_path: Path, **environment: str) -> None:
        self.folder = tmp_path
        tmp_path.mkdir(exist_ok=True)
        self.out = tmp_path / "out"
        self.runtime = Path(tempfile.mkdtemp(prefix="cpw-", dir="/tmp"))
        self.environment = dict(
            os.environ,
            CPW_RUNTIME=str(self.runtime),
            CPW_HTTP="off",
            CPW_STATE=str(tmp_path / "state"),
            CPW_OUT=str(self.out),
        )
        self.environment |= environment

    def __enter__(self) -> RealHouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.cpw("down")
        shutil.rmtree(self.runtime, ignore_errors=True)

    def cpw(self, *words: str, timeout_s: float = 600) -> subprocess.CompletedProcess[str]:
        """Run `cpw` without a terminal."""
        return subprocess.run(
            [BIN / "cpw", *words],
            env=self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    def up(self) -> None:
        """Start everything; `AssertionError` with what the command says where that fails."""
        done = self.cpw("up")
        assert done.returncode == 0, done.stdout + done.stderr

    def subtitled(self, *words: str) -> tuple[float, list[dict[str, Any]]]:
        """Have films subtitled anew; return the seconds from submit to their end, and the jobs."""
        begun = time.monotonic()
        code, jobs, said = self.submit(*words, "--workflow", "subtitle", "--again")
        assert code == 0, said
        return time.monotonic() - begun, jobs

    def submit(self, *words: str) -> tuple[int, list[dict[str, Any]], str]:
        """Run `cpw submit --json`; return the exit code, the jobs and what stood on stderr."""
        done = self.cpw("submit", "--json", *words)
        jobs = json.loads(done.stdout)["jobs"] if done.stdout else []
        return done.returncode, jobs, done.stderr

    def begin(self, *words: str) -> str:
        """Submit one film to be subtitled, do not wait for it, and return the job."""
        code, jobs, said = self.submit(*words, "--workflow", "subtitle", "--detach")
        assert code == 0, said
        return str(jobs[0]["job"])

    def job(self, job: str) -> JobReport:
        """Return the job's report."""
        with Client(self.runtime) as client:
            return client.ask(StatusQuery(jobs=(job,))).jobs[0]

    def health(self) -> HealthReport:
        """Return the health."""
        with Client(self.runtime) as client:
            return client.ask(HealthQuery())
