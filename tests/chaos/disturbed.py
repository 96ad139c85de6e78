"""A house in which something dies, and the person who looks after it: what the chaos tests are made of."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import imageio_ffmpeg

from clients.asking import ask_newest
from protocol.errors import NotRunningError
from protocol.messages import JobReport, StatusQuery, Submit
from tests.house import REAL_COMMON_STAGES, House, until

__all__ = ["ENDS", "DisturbedHouse", "Outcome", "Tended"]

ENDS = ("done", "failed", "cancelled")
_COMPARED = ("01_demux", "06_asr", "07_align", "09_clean", "11_subtitle", "12_mux")
_PATIENCE_S = 40.0
_TONES = (("A", 440), ("B", 660))
_CLI = "from clients.cli.entry import submit_main; submit_main()"

T = TypeVar("T")


@dataclass(frozen=True)
class Outcome:
    """What is left of a run: the digest of every file that a person would keep, by film and name."""

    files: dict[str, str]


class Tended(House):
    """A house and the person who looks after it."""

    revived = 0
    """How often an environment was given up, and everything was started anew by hand."""

    # what a person does

    def tend(self) -> None:
        """Start the house again where its supervisor has died; all else restarts itself."""
        if self.supervisor is None or self.supervisor.poll() is not None:
            self.launch()
        elif self._given_up():
            self.revived += 1
            self.stop_tended()
            self.launch()

    def _given_up(self) -> bool:
        try:
            children = self.supervisor_state()["children"]
        except (OSError, ValueError):
            return False
        return any(child["state"] == "crash-loop" for child in children.values())

    def tended(self, condition: Callable[[], T], what: str, timeout_s: float = _PATIENCE_S) -> T:
        """Wait for `condition` as somebody does who looks after the house."""

        def look() -> T | None:
            self.tend()
            try:
                return condition()
            except NotRunningError:
                return None

        return until(look, timeout_s, what)

    def be_healthy(self) -> None:
        """Wait until everything is ready."""
        self.tended(lambda: (health := self.health()) is not None and health.healthy, "healthy")

    def submit_film(self, film: Path, order: str = "") -> str:
        """Submit the film; where no answer comes, look whether the job is there before trying again."""

        def try_once() -> str | None:
            if known := self.job_of(film):
                return known
            parameters = {"asr": {"initial_prompt": order}} if order else {}
            submit = Submit(
                media=str(film), workflow="subtitle", user="u", out=str(self.out), parameters=parameters
            )
            return self.ask(submit, timeout_ms=1_500).job

        return self.tended(try_once, f"{film.name} is submitted")

    def type_submit(self, *films: Path) -> int:
        """Type `cpw-submit` and follow to the end; return its exit code."""
        python = self.home / "venv" / "common" / "bin" / "python"
        command = [python, "-I", "-c", _CLI, "-w", "subtitle", "--out", self.out, *films]
        with subprocess.Popen(
            command, env=self.environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as typed:
            until(lambda: self.tend() or typed.poll() is not None, _PATIENCE_S, "cpw-submit ends")
            return typed.returncode

    def job_of(self, film: Path) -> str | None:
        """Return the film's job if the coordinator knows one."""
        jobs = self.ask(StatusQuery(limit=100), timeout_ms=1_500).jobs
        return next((job.job for job in jobs if job.media == str(film)), None)

    def all_ended(self, count: int) -> list[JobReport]:
        """Wait until `count` jobs have ended and none goes on."""

        def look() -> list[JobReport] | None:
            health = self.health()
            if health is None or health.jobs_running or health.jobs_queued:
                return None
            jobs = ask_newest(self, 2 * count + 10).jobs
            ended = [job for job in jobs if job.state in ENDS]
            return ended if len(ended) == len(jobs) >= count else None

        return self.tended(look, f"{count} jobs ended")

    def stop_tended(self) -> None:
        """Stop as `make down` does, whatever dies of it."""
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)
            self.supervisor.wait(timeout=30)
        until(lambda: not self.processes(), 5.0, "no process is left")

    # what is looked at afterwards

    def step_states(self) -> list[tuple[int, str, str]]:
        """Return job, name and state of every step in the store."""
        return self._store("SELECT job, name, state FROM steps")

    def job_count(self) -> int:
        """Return how many jobs the store holds."""
        return self._store("SELECT count(*) FROM jobs")[0][0]

    def left_over(self) -> list[str]:
        """Return what should not be there when every job has ended: scratch folders, unfinished files."""
        names = ("**/.scratch", "**/*.part", "**/.*.part")
        found = {
            path for pattern in names for root in (self.out, self.runtime) for path in root.glob(pattern)
        }
        return sorted(str(path.relative_to("/")) for path in found)

    def folders_without_job(self) -> list[str]:
        """Return job folders that no job in the store owns."""
        owned = {directory for (directory,) in self._store("SELECT directory FROM jobs")}
        return sorted(str(path) for path in self.out.glob("*/*/*/*/*") if str(path) not in owned)

    def _store(self, query: str) -> list[tuple]:
        store = sqlite3.connect(self.home / "state" / "jobs.sqlite", timeout=5)
        try:
            return store.execute(query).fetchall()
        finally:
            store.close()

    def folders_and_films(self) -> list[tuple[str, str]]:
        """Return the folder and the film of every job in the store."""
        rows = self._store("SELECT directory, submit FROM jobs")
        return [(folder, json.loads(submit)["media"]) for folder, submit in rows]


class DisturbedHouse(Tended):
    """Real demux, subtitle and mux with ffmpeg, quick speech engines; renewed for each disturbance."""

    def __init__(self, tmp_path: Path) -> None:
        super().__init__(tmp_path, common=REAL_COMMON_STAGES)
        self.films = [self._make_film(f"Film {letter}.mkv", tone) for letter, tone in _TONES]
        self.twin = Path(shutil.copy(self.films[0], self.home / "Film C.mkv"))
        """The first film under another name."""
        self._once, self._passed = self.home / "died", self.home / "reached"
        self._calm = dict(self.environ)

    def _make_film(self, name: str, tone: int) -> Path:
        film = self.home / name
        sources = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=10:duration=1"]
        sources += ["-f", "lavfi", "-i", f"sine=frequency={tone}:duration=1"]
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *sources, "-shortest", str(film)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return film

    def renew(self, failpoint: str = "", *, log: bool = False) -> None:
        """Forget all that was done; die at `failpoint` in the next run; write down what is reached."""
        self.stop()
        for folder in (self.out, self.home / "state", self.home / "logs", self.runtime):
            shutil.rmtree(folder, ignore_errors=True)
        for file in (self._once, self._passed, *self.home.glob("sign*")):
            file.unlink(missing_ok=True)
        self.environ = dict(self._calm)
        if failpoint:
            self.environ |= {"CPW_FAILPOINT": failpoint, "CPW_FAILPOINT_ONCE": str(self._once)}
        if log:
            self.environ |= {"CPW_FAILPOINT_LOG": str(self._passed)}

    def sign(self, name: str) -> Path:
        """Return a file by which the test and an engine speak; it is not there at first."""
        return self.home / f"sign-{name}"

    def died(self) -> bool:
        """Return whether the failpoint has killed."""
        return self._once.exists()

    def passed(self) -> list[str]:
        """Return every failpoint that was reached."""
        return self._passed.read_text().split()

    def outcome(self) -> Outcome:
        """Return the digests of every job's files, by its film."""
        files = {}
        for job, media in self.folders_and_films():
            name = Path(media).stem
            for stage in _COMPARED:
                for path in sorted((Path(job) / stage).rglob("*")):
                    # What a quick engine was asked has the disturbance in it.
                    if path.is_file() and path.name != "asked.json":
                        key = f"{name}/{path.relative_to(job)}"
                        assert key not in files, f"{key} is there twice"
                        files[key] = hashlib.sha256(path.read_bytes()).hexdigest()
        return Outcome(files)
