"""One real worker process and the coordinator's real socket, with the test in the coordinator's place."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coordinator.link import Arrival, Link
from protocol.artefacts import Artefact
from protocol.endpoints import worker_endpoint
from protocol.frames import Header
from protocol.messages import Call, Hello, State, Welcome
from protocol.schema import to_plain

ROOT = Path(__file__).resolve().parent.parent
NOTHING = Artefact(path="x", size=0, sha256="")


class LoneWorker:
    """A context manager; `arrivals` yields what the worker says."""

    def __init__(self, *engines: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cpw-")
        self.folder = Path(self._folder.name)
        self.stack = self.folder / "stack.txt"
        self.link = Link(self.folder)
        command = [sys.executable, "-u", "-m", "workers", "--environment", "lone"]
        command += ["--endpoint", worker_endpoint(self.folder), "--models", str(self.folder)]
        command += ["--stack", str(self.stack)]
        for engine in engines:
            command += ["--engine", engine]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.arrivals = self._arrivals()
        self.peer = b""

    def __enter__(self) -> LoneWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.link.close()
        self._folder.cleanup()

    def _arrivals(self) -> Iterator[Arrival]:
        while True:
            for event in self.link.wait(1_000):
                if isinstance(event, Arrival):
                    yield event

    def renew_link(self) -> None:
        """Be a coordinator that has died and come back."""
        self.link.close()
        self.link = Link(self.folder)
        self.arrivals = self._arrivals()

    def wait_ready(self) -> None:
        """Welcome the worker and wait until it can be given a call."""
        for arrival in self.arrivals:
            if isinstance(arrival.message, Hello):
                self.peer = arrival.peer
                self.send(Welcome(), Header(run="1"))
            if isinstance(arrival.message, (Hello, State)) and arrival.message.state == "ready":
                return

    def send(self, message: Any, header: Header) -> None:
        """Send to the worker."""
        self.link.send("w", self.peer, header, message)

    def next(self, *kinds: type) -> Arrival:
        """Return the next message of these kinds."""
        return next(each for each in self.arrivals if isinstance(each.message, kinds))

    def call(self, stage: str, request: Any, budget_ms: int = 60_000) -> Call:
        """Return a call with this request."""
        return Call(
            stage=stage,
            schema_version=1,
            job_directory=str(self.folder),
            scratch=".scratch/x",
            folder="06_asr",
            budget_ms=budget_ms,
            request=to_plain(request),
        )
