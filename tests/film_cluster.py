"""A head and two nodes on this machine with real environments; films that they do, and what came of them."""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import subprocess
import venv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envspecs.layout import lock_path, specs_directory
from protocol.endpoints import http_address_file
from protocol.jobs.status import JobReport
from tests.bench.other_sound import Sounds
from tests.cluster_house import ClusterHouse, free_port
from tests.data import ROOT, data
from tests.house import until

__all__ = ["NODES", "FilmCluster", "FilmHouse", "Made", "cut_films", "film_cluster", "made_of"]

MODEL = "whisper-tiny.en"
NODES = {"beta": "127.0.0.2", "gamma": "127.0.0.3"}
"""The nodes and their addresses; the head is alpha, 127.0.0.1."""
_ENVIRONMENTS = ("common", "whisperx")
# From which second of film_en.mp4, how many seconds: each has a sentence of its own, or a part of one.
_CUTS = ((2, 12), (16, 8), (24, 6), (30, 5), (35, 7), (42, 7), (48, 5), (5, 10))
_START_S = 400.0
_JOINS = 5
_BY_NATURE = ("job.json", "manifest.json", "logs/")
"""Ids and times of the job itself; what is said of a run."""


class FilmHouse(ClusterHouse):
    """A machine with this checkout's environments common and whisperx, and a model store of its own."""

    command_s = 500.0

    def __init__(self, tmp_path: Path, models: tuple[str, ...] = (MODEL,), **environment: str) -> None:
        store = tmp_path / "models"
        store.mkdir(parents=True)
        for model in ("lid-176", *models):
            if (ROOT / "models" / model).is_dir():
                shutil.copytree(ROOT / "models" / model, store / model)
        super().__init__(tmp_path, CPW_MODELS=str(store), CUDA_VISIBLE_DEVICES="", **environment)
        # The supervisor starts the bridge where the room is.
        (self.home / "cluster").symlink_to(ROOT / "cluster")

    def add_environment(self, name: str, stages: dict[str, str], *more: str) -> None:
        """Lay out the checkout's own spec and lock; the model of this test is the default."""
        del stages, more
        folder = self.home / "envspecs"
        spec = (specs_directory(ROOT) / f"{name}.toml").read_text()
        (folder / f"{name}.toml").write_text(spec.replace('"whisper-base"', f'"{MODEL}"'))
        (folder / "locks").mkdir(exist_ok=True)
        shutil.copy(lock_path(name, ROOT), folder / "locks")
        place = self.home / "venv" / ".builds" / name
        venv.create(place, symlinks=True, with_pip=False)
        packages = next((ROOT / "venv" / name).resolve().glob("lib/python*/site-packages"))
        site = next(place.glob("lib/python*/site-packages"))
        (site / "house.pth").write_text(f"{ROOT}\n{packages}\n")
        (self.home / "venv" / name).symlink_to(place)
        self.add_environment_marker(name)

    def submit(self, *words: str) -> list[dict[str, Any]]:
        """Run `cpw-submit --json`, which succeeds, and return the jobs."""
        python = self.home / "venv" / "common" / "bin" / "python"
        code = "from clients.cli.entry import submit_main; submit_main()"
        done = subprocess.run(
            [python, "-I", "-c", code, *words, "--json"],
            env=self.environ, cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True,
            timeout=self.command_s, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr + self.said()
        return list(json.loads(done.stdout)["jobs"])

    def said(self) -> str:
        """Return the ends of this machine's logs."""
        logs = sorted((self.home / "logs").glob("*.log"))
        return "".join(f"\n{log.name}:\n{log.read_text()[-1_500:]}" for log in logs)


@dataclass(frozen=True)
class Made:
    """What came of a film."""

    films: str
    """The film's path in its folder."""
    files: dict[str, str]
    """sha256 of each file of the job folder by its path there."""
    nodes: dict[str, str]
    """Which machine did each step; the head is empty."""
    report: JobReport


def made_of(head: FilmHouse, jobs: list[dict[str, Any]], films: Path) -> dict[str, Made]:
    """Return what came of each film, by its path below the folder `films`."""
    found = {}
    for job in jobs:
        report = head.job(job["job"])
        assert report.state == "done", report.error
        name = str(Path(report.media).relative_to(films))
        nodes = {step.name: step.node for step in report.steps if step.state == "done"}
        found[name] = Made(name, _files_in(Path(report.directory)), nodes, report)
    return found


def _files_in(folder: Path) -> dict[str, str]:
    found = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_file() and not name.startswith(_BY_NATURE):
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def cut_films(folder: Path, count: int) -> Path:
    """Write so many short films of speech, each with another sound, into the folder and return it."""
    sounds = Sounds(folder)
    for start_s, length_s in _CUTS[:count]:
        sounds.other(data("film/film_en.mp4"), start_s=start_s, length_s=length_s)
    return folder


class FilmCluster:
    """The head, which is one machine alone until `join`, and the nodes."""

    def __init__(self, head: FilmHouse, nodes: dict[str, FilmHouse], share: tuple[Path, Path]) -> None:
        self.head = head
        self.nodes = nodes
        self.share, self.share_on_nodes = share
        self.address = f"127.0.0.1:{free_port()}"

    def start(self) -> None:
        """Start the head alone."""
        self.head.told("up", "--wait", str(_START_S))

    def server_address(self) -> str:
        """Return where the head's HTTP server listens."""
        file = http_address_file(self.head.runtime)
        return until(lambda: file.read_text().strip() if file.exists() else "", 60, "the server listens")

    def join(self, server: str) -> None:
        """Make it a head, and have the nodes join, who are told that its HTTP server is at `server`."""
        self.head.told("cluster", "start", "--name", "alpha", "--port", self.address.rpartition(":")[2])
        http_address_file(self.head.runtime).write_text(server)
        for name, node in self.nodes.items():
            self._have_join(name, node)
        until(self.are_ready, _START_S, "the workers of all machines are ready")

    def _have_join(self, name: str, node: FilmHouse) -> None:
        """Have a node join; on a machine that is busy the head may need more than the seconds that it has."""
        words = ("cluster", "join", self.address, "--address", NODES[name], "--name", name)
        words += ("--token-file", str(self.head.token), "--wait", str(_START_S))
        for _ in range(_JOINS):
            done = node.cpw(*words, CPW_SHARES=f"{self.share}={self.share_on_nodes}")
            if "no answer within" not in done.stderr:
                break
        assert done.returncode == 0, done.stdout + done.stderr

    def are_ready(self) -> bool:
        """Return whether every machine's workers take calls."""
        health = self.head.health()
        rows = health.environments if health is not None else ()
        usable = Counter(row.node for row in rows if row.usable and row.environment in _ENVIRONMENTS)
        return usable == dict.fromkeys(("", *self.nodes), len(_ENVIRONMENTS))

    def loads(self) -> dict[str, dict[str, int]]:
        """Return of each machine how often each model was loaded."""
        health = self.head.health()
        assert health is not None
        found: dict[str, dict[str, int]] = {}
        for row in health.environments:
            counts = found.setdefault(row.node or "alpha", {})
            counts |= {model.key: model.loads for model in row.models}
        return found

    def submit(self, films: Path, out: Path, *words: str) -> dict[str, Made]:
        """Have all films of a folder subtitled anew, and return what came of each."""
        jobs = self.head.submit(str(films), "-w", "subtitle", "--again", "-s", "en", "-o", str(out), *words)
        return made_of(self.head, jobs, films)


@contextlib.contextmanager
def film_cluster(folder: Path) -> Iterator[FilmCluster]:
    """Lay out three machines; nothing is started."""
    share = folder / "nas"
    share.mkdir()
    on_nodes = folder / "mounted"
    on_nodes.symlink_to(share)
    with contextlib.ExitStack() as stack:
        head = stack.enter_context(FilmHouse(folder / "alpha", CPW_HTTP="127.0.0.1:0"))
        nodes = {name: stack.enter_context(FilmHouse(folder / name)) for name in NODES}
        yield FilmCluster(head, nodes, (share, on_nodes))
