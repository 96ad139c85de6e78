"""A head and its nodes on one machine, each a whole house with real Ray; what of them can be disturbed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import psutil

from envspecs.cluster.ray import PORTS
from envspecs.cluster.settings import ClusterSettings, write_settings
from envspecs.cluster.token import keep_token
from protocol.cluster.names import node_of
from protocol.messages import HealthReport
from tests.chaos.disturbed import Tended
from tests.cluster_house import ClusterHouse, free_port, mentions
from tests.house import until

__all__ = ["Cluster", "Machine", "StepRow", "part_of"]

_MOST_MACHINES = 5
_STARTED_S = 120.0
_ENDED_S = 5.0
_PROGRAMS = (
    ("agent", "ray::NodeAgent"),
    ("raylet", "raylet/raylet"),
    ("gcs", "gcs/gcs_server"),
)
_MODULES = {"workers": "worker", "coordinator": "coordinator", "cluster": "bridge"}
_WORKER_STARTED = re.compile(r"started (?:common|whisperx) \(group", re.MULTILINE)


class StepRow(NamedTuple):
    """A step as the head's store has it."""

    job: int
    name: str
    state: str
    worker: str
    attempt: int
    kills: int
    failures: int


def part_of(words: list[str]) -> str:
    """Return what a process of a house is, by its command line; empty: something else of Ray's."""
    for part, program in _PROGRAMS:
        if words and program in words[0]:
            return part
    if "envspecs.processes.guardian" in words:
        return "guardian"
    at = words.index("-m") + 1 if "-m" in words else len(words)
    return _MODULES.get(words[at], "") if at < len(words) else ""


class Machine(Tended, ClusterHouse):
    """A machine of a cluster that somebody looks after; `settings` say which."""

    def __init__(self, folder: Path, settings: ClusterSettings, token: str, **environment: str) -> None:
        super().__init__(folder)
        self.name = settings.name
        self.environ |= environment
        self.launches = 0
        # By this file a checkout is known to have the bridge's room; the code is that of this one.
        (self.home / "cluster").mkdir()
        (self.home / "cluster" / "__main__.py").touch()
        keep_token(self.state, token)
        write_settings(self.state, settings)

    def __exit__(self, *_: object) -> None:
        self.kill_whole()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def launch(self) -> None:
        """Start the supervisor, as `cpw up` does."""
        self.launches += 1
        super().launch()

    def tell_to_stop(self) -> None:
        """Begin to stop, as `cpw down` does."""
        if self.supervisor is not None and self.supervisor.poll() is None:
            self.supervisor.send_signal(signal.SIGTERM)

    def whole(self) -> list[psutil.Process]:
        """Return all its processes, the supervisor, which carries no cookie, first."""
        found = []
        if self.supervisor is not None and self.supervisor.poll() is None:
            found = [psutil.Process(self.supervisor.pid)]
        return found + self.processes()

    def parts(self, part: str) -> list[psutil.Process]:
        """Return the living processes that are this part of it, those that were started first in front."""
        found = []
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                if part_of(process.cmdline()) == part:
                    found.append(process)
        return sorted(found, key=lambda process: process.pid)

    def kill_whole(self) -> None:
        """End every process of it, as a power cut does."""
        while found := self.whole():
            for process in found:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
            if self.supervisor is not None:
                self.supervisor.wait(10)

    def worker_starts(self) -> int:
        """Return how many workers its supervisors have started; each loads its model once."""
        log = self.home / "logs" / "supervisor.log"
        return len(_WORKER_STARTED.findall(log.read_text())) if log.exists() else 0

    def workers(self) -> dict[str, int]:
        """Return the process groups of its workers."""
        return {name: pid for name in ("common", "whisperx") if (pid := self.child(name)) is not None}

    def steps(self) -> list[StepRow]:
        """Return every step in the store."""
        query = "SELECT job, name, state, worker, attempt, kills, failures FROM steps"
        return [StepRow(*row) for row in self._store(query)]

    def said(self, log: str) -> str:
        """Return one of its logs; empty where it is not written yet."""
        path = self.home / "logs" / f"{log}.log"
        return path.read_text(errors="replace") if path.exists() else ""


class Cluster:
    """A context manager. With `shared`, all machines reach one folder, each node by a path of its own.

    Otherwise nodes fetch files from the head's HTTP server, and send theirs there.
    """

    def __init__(self, folder: Path, nodes: tuple[str, ...], *, shared: bool) -> None:
        self._folder = folder
        self._token = secrets.token_hex(16)
        self._first = _free_blocks(_MOST_MACHINES)
        self._address = f"127.0.0.1:{free_port()}"
        self.shared = shared
        self.films = folder / "nas"
        """Where films lie."""
        self.films.mkdir(parents=True)
        http = "off" if shared else f"127.0.0.1:{self._first + PORTS - 1}"
        self.head = self._make("head", 0, CPW_HTTP=http)
        self.head.out = self.films / "out"
        self.nodes: dict[str, Machine] = {}
        for name in nodes:
            self.add_node(name)
        self.asleep: list[tuple[float, list[psutil.Process]]] = []
        """Stopped processes, each group with the time at which it goes on."""

    def add_node(self, name: str, **environment: str) -> Machine:
        """Make a node; it is not started."""
        place = len(self.nodes) + 1
        if self.shared:
            here = self._folder / f"nas-at-{name}"
            here.symlink_to(self.films)
            environment["CPW_SHARES"] = f"{self.films}={here}"
        self.nodes[name] = self._make(name, place, **environment)
        return self.nodes[name]

    def folder_of(self, name: str) -> Path:
        """Return the folder of a machine."""
        return self._folder / name

    def _make(self, name: str, place: int, **environment: str) -> Machine:
        settings = ClusterSettings(
            role="node" if place else "head",
            head=self._address,
            address=f"127.0.0.{place + 1}",
            name=name,
            first_port=self._first + PORTS * place,
        )
        return Machine(self.folder_of(name), settings, self._token, **environment)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *_: object) -> None:
        for machine in self.machines:
            machine.__exit__()

    @property
    def machines(self) -> list[Machine]:
        """All of them, the head first."""
        return [self.head, *self.nodes.values()]

    def start(self) -> None:
        """Start all, and wait until every node works for the head."""
        for machine in self.machines:
            machine.launch()
        self.be_healthy()

    # --- who looks after it ---

    def tend(self) -> None:
        """Have stopped processes go on when it is time; start again what does not do so by itself."""
        now_s = time.monotonic()
        due = [processes for due_s, processes in self.asleep if due_s <= now_s]
        self.asleep = [(due_s, processes) for due_s, processes in self.asleep if due_s > now_s]
        for process in (process for processes in due for process in processes):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGCONT)
        for machine in self.machines:
            machine.tend()

    def be_healthy(self) -> None:
        """Wait until everything is ready on every machine."""
        until(self.works, _STARTED_S, "every node works")

    def works(self) -> bool:
        """Look after it, and return whether everything is ready on every machine."""
        self.tend()
        health = self.head.health()
        return health is not None and health.healthy and self._all_work(health)

    def _all_work(self, health: HealthReport) -> bool:
        present = {node.name for node in health.nodes if node.standing == "present"}
        usable = Counter(row.node for row in health.environments if row.usable)
        return present == set(self.nodes) and all(usable[name] >= 2 for name in self.nodes)

    def sleep(self, processes: list[psutil.Process], how_long_s: float) -> None:
        """Stop the processes, and have them go on later."""
        for process in processes:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGSTOP)
        self.asleep.append((time.monotonic() + how_long_s, processes))

    def wake_all(self) -> None:
        """Wait until nobody sleeps."""
        until(lambda: self.tend() or not self.asleep, 60, "all go on")

    def stop(self) -> float:
        """Stop all as `cpw down` does; return after how many seconds nothing of any was left.

        Counted from the end of the last supervisor; `AssertionError` where something stays for 5 s.
        """
        for machine in reversed(self.machines):
            machine.tell_to_stop()
        for machine in self.machines:
            if machine.supervisor is not None:
                machine.supervisor.wait(timeout=60)
        begun_s = time.monotonic()
        until(lambda: not self._left(), _ENDED_S, "no process is left")
        return time.monotonic() - begun_s

    def _left(self) -> list[psutil.Process]:
        return [process for machine in self.machines for process in mentions(str(machine.runtime))]

    def done_by(self) -> Counter[str]:
        """Return of how many steps each machine has the result, the head's name being empty."""
        return Counter(node_of(step.worker) for step in self.head.steps() if step.state == "done")


def _free_blocks(count: int) -> int:
    """Return the first of so many ports, in blocks of a hundred, of which the told ones are free."""
    for first in range(20_000 + os.getpid() % 60 * PORTS, 30_000 - count * PORTS, PORTS):
        told = [first + PORTS * block + port for block in range(count) for port in (0, 1, 2, 3, 4, 5, 6, 99)]
        if all(_is_free(port) for port in told):
            return first
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        try:
            trial.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True
