"""A whole house in a temporary home: real supervisor, coordinator and workers, engines as a test wants."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sysconfig
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psutil

import envspecs
from clients.connection import Client
from envspecs.builds.installed import Marker, write_marker
from envspecs.key import build_key, project_digest, running_python
from protocol.clock import now_iso
from protocol.errors import NotRunningError
from protocol.messages import HealthQuery, HealthReport, JobReport, StatusQuery, Submit, Submitted

ROOT = Path(__file__).resolve().parent.parent
_FAKE = "tests.ill.engines"
COMMON_STAGES = {
    "demux": "FakeDemux",
    "clean": "FakeClean",
    "subtitle": "FakeSubtitle",
    "mux": "FakeMux",
}
REAL_COMMON_STAGES = {
    "demux": "workers.engines.common.film.demux:FfmpegDemux",
    "clean": "workers.engines.common.cleaning.clean:TranscriptClean",
    "subtitle": "workers.engines.common.subtitle:CueSubtitle",
    "mux": "workers.engines.common.film.mux:FfmpegMux",
}
REAL_SPEECH_STAGES = {
    "asr": "workers.engines.whisperx.asr:WhisperxAsr",
    "align": "workers.engines.whisperx.align:WhisperAlign",
}
SPEECH_STAGES = {"asr": "FakeAsr", "align": "FakeAlign", "translate": "FakeTranslate"}

T = TypeVar("T")


def until(condition: Callable[[], T], timeout_s: float = 60.0, what: str = "") -> T:
    """Return the first true value of `condition`, asked again and again; fail after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            message = f"not within {timeout_s} s: {what or condition}"
            raise AssertionError(message)
        # Nothing tells us: another process changes what we look at.
        with tempfile.TemporaryFile() as nothing:
            os.fsync(nothing.fileno())


class House:
    """Use as a context manager; `start` and `kill` as often as a test likes."""

    def __init__(
        self,
        tmp_path: Path,
        common: dict[str, str] = COMMON_STAGES,
        speech: dict[str, str] = SPEECH_STAGES,
        **environment: str,
    ) -> None:
        self.home = tmp_path / "home"
        # Socket paths are short; pytest's temporary folders are not.
        self.runtime = Path(tempfile.mkdtemp(prefix="cpw-", dir="/tmp"))
        self.out = tmp_path / "out"
        self.supervisor: subprocess.Popen[bytes] | None = None
        (self.home / "envspecs").mkdir(parents=True)
        (self.home / "models" / "whisper-base").mkdir(parents=True)
        (self.home / "models" / "whisper-base" / "manifest.json").write_text(
            '{"id": "whisper-base", "source": "a test", "files": {}}'
        )
        for name in ("pyproject.toml", "supervisor.py"):
            shutil.copy(ROOT / name, self.home / name)
        shutil.copy(ROOT / "envspecs" / "models.toml", self.home / "envspecs")
        self.add_environment("common", common)
        self.add_environment("whisperx", speech)
        given = {"CPW_HOME": str(self.home), "CPW_RUNTIME": str(self.runtime), "CPW_HTTP": "off"}
        self.environ = dict(os.environ) | given | environment

    def add_environment(self, name: str, stages: dict[str, str], *more: str) -> None:
        """Make an environment that counts as built: a real interpreter that finds this checkout.

        `more` are lines of its spec; `models` among them replace the usual model.
        """
        lines = [f'name = "{name}"', 'purpose = "for a test"', "requirements = []", *more]
        if not any(spec_line.startswith("model_kinds") for spec_line in more):
            lines += ['model_kinds = ["whisper-ct2"]']
            lines += ['default_model = "whisper-base"', 'models = ["whisper-base"]']
        engines = {stage: cls if ":" in cls else f"{_FAKE}:{cls}" for stage, cls in stages.items()}
        ranks = {"whisperx": 90}
        entries = [
            f'{stage} = {{ engine = "{engine}", rank = {ranks.get(name, 50)} }}'
            for stage, engine in engines.items()
        ]
        lines += ["[stages]", *entries]
        (self.home / "envspecs" / f"{name}.toml").write_text("\n".join(lines) + "\n")
        place = self.home / "venv" / ".builds" / name
        venv.create(place, symlinks=True, with_pip=False)
        site = next(place.glob("lib/python*/site-packages"))
        (site / "house.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
        (self.home / "venv" / name).symlink_to(place)
        self.add_environment_marker(name)

    def add_environment_marker(self, name: str) -> None:
        """Declare the environment built as its spec now says."""
        place = self.home / "venv" / ".builds" / name
        spec = envspecs.read(name, self.home / "envspecs")
        marker = Marker(
            name=name,
            key=build_key(spec, running_python(), self.home),
            python=running_python(),
            project=project_digest(self.home),
            built_at=now_iso(),
        )
        write_marker(place, marker)

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def start(self, timeout_s: float = 60.0) -> None:
        """Start the supervisor and wait until everything is ready."""
        self.launch()
        until(lambda: (report := self.health()) is not None and report.healthy, timeout_s, "healthy")

    def launch(self) -> None:
        """Start the supervisor."""
        python = self.home / "venv" / "common" / "bin" / "python"
        log = (self.home / "supervisor.log").open("ab")
        self.supervisor = subprocess.Popen(
            [python, "-I", self.home / "supervisor.py", "run"],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()

    def stop(self) -> None:
        """Stop as `make down` does."""
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.wait(timeout=30)
        for process in self.processes():
            process.kill()

    def health(self) -> HealthReport | None:
        """Return the health, None where nobody answers."""
        try:
            return self.ask(HealthQuery(), timeout_ms=500)
        except NotRunningError:
            return None

    def ask(self, message: Any, timeout_ms: int = 5_000) -> Any:
        """Ask the coordinator."""
        with Client(self.runtime, timeout_ms) as client:
            return client.ask(message)

    def submit(self, content: bytes = b"", workflow: str = "subtitle", **fields: Any) -> str:
        """Submit a film of these bytes and return the job's id."""
        media = self.home / f"Film {len(list(self.home.glob('Film*')))}.mkv"
        media.write_bytes(content or media.name.encode())  # no two films are the same by chance
        submitted: Submitted = self.ask(
            Submit(media=str(media), workflow=workflow, user="tester", out=str(self.out), **fields)
        )
        return submitted.job

    def job(self, job: str) -> JobReport:
        """Return the job's report."""
        return self.ask(StatusQuery(jobs=(job,))).jobs[0]

    def ended(self, job: str, timeout_s: float = 60.0) -> JobReport:
        """Wait for the job's end and return its report."""

        def look() -> JobReport | None:
            try:
                report = self.job(job)
            except NotRunningError:
                return None
            return report if report.state in ("done", "failed", "cancelled") else None

        return until(look, timeout_s, f"{job} ended")

    def environment(self, name: str) -> Any:
        """Return the health of one environment."""
        report = until(self.health, what="health")
        return next(environment for environment in report.environments if environment.environment == name)

    def processes(self) -> list[psutil.Process]:
        """Return every living process that carries this house's cookie."""
        found = []
        for process in psutil.process_iter():
            try:
                cookie = process.environ().get("CPW_COOKIE")
                if cookie == str(self.runtime) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def supervisor_state(self) -> dict[str, Any]:
        """Return what the supervisor wrote down."""
        return json.loads((self.runtime / "supervisor.json").read_text())
