"""One real worker process and the coordinator's real socket, with the test in the coordinator's place."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import envspecs
from coordinator.link import Arrival, Link
from envspecs.budgets import threads_of
from envspecs.hardware import usable_cores
from protocol.artefacts import Artefact, describe_file
from protocol.endpoints import worker_endpoint
from protocol.errors import ErrorInfo
from protocol.frames import Header
from protocol.messages import Ack, Call, Failure, Hello, Progress, Result, State, Welcome
from protocol.schema import from_plain, to_plain
from protocol.stages import STAGES

ROOT = Path(__file__).resolve().parent.parent
NOTHING = Artefact(path="x", size=0, sha256="")


class LoneWorker:
    """A context manager; `arrivals` yields what the worker says."""

    def __init__(
        self,
        *engines: str,
        python: str = sys.executable,
        models: Path | None = None,
        options: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cpw-")
        self.folder = Path(self._folder.name)
        self.stack = self.folder / "stack.txt"
        self.log = self.folder / "worker.log"
        self.link = Link(self.folder)
        command = [python, "-u", "-m", "workers", "--environment", "lone"]
        command += ["--endpoint", worker_endpoint(self.folder), "--models", str(models or self.folder)]
        command += ["--stack", str(self.stack), *options]
        for engine in engines:
            command += ["--engine", engine]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, stdout=log, stderr=log, env=dict(os.environ, **(environment or {}))
            )
        self.arrivals = self._arrivals()
        self.peer = b""
        self.calls = 0

    @classmethod
    def of(
        cls, name: str, models: Path | None = None, options: tuple[str, ...] = (), **environment: str
    ) -> LoneWorker:
        """Return a worker of a built environment, with the engines that its spec names, offline."""
        spec = envspecs.read(name)
        if spec.default_model and models is None:
            options = ("--default-model", spec.default_model, *options)
        options = ("--threads", str(threads_of(spec, usable_cores())), *options)
        return cls(
            *(f"{stage}={stage_spec.engine}" for stage, stage_spec in spec.stages.items()),
            python=str(envspecs.interpreter(name)),
            models=models or envspecs.models_directory(),
            options=options,
            environment={"HF_HUB_OFFLINE": "1", **spec.environment, **environment},
        )

    def __enter__(self) -> LoneWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.link.close()
        self._folder.cleanup()

    def _arrivals(self) -> Iterator[Arrival]:
        while True:
            code = self.process.poll()
            assert code is None, f"the worker has ended with {code}:\n{self.log.read_text()[-4000:]}"
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
        return next(arrival for arrival in self.arrivals if isinstance(arrival.message, kinds))

    def call(self, stage: str, request: Any, budget_ms: int = 60_000) -> Call:
        """Return a call with this request."""
        return Call(
            stage=stage,
            schema_version=STAGES[stage].version,
            job_directory=str(self.folder),
            scratch=".scratch/x",
            folder=STAGES[stage].folder,
            budget_ms=budget_ms,
            request=to_plain(request),
        )

    def take_in(self, source: Path, name: str) -> Artefact:
        """Copy a file into the job folder as an input of the next call."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        return describe_file(target, name)

    def do(self, stage: str, request: Any, *, budget_ms: int = 300_000) -> Any:
        """Do one call and return the stage's result; `AssertionError` with the worker's error where it fails.

        The files it published lie under their own names in the job folder, as the coordinator would put them.
        """
        self.calls += 1
        header = Header(run="1", job="job-1", step=stage, attempt=self.calls)
        self.send(self.call(stage, request, budget_ms), header)
        return self._taken(stage, ".scratch/x")[1]

    def do_inside(self, stage: str, request: Any, inner: Any, *, budget_ms: int = 300_000) -> tuple[Any, Any]:
        """Do a call, and another one at its first border; return the results of both.

        `AssertionError` where one of them fails, or the inner one does not end first.
        """
        self.calls += 1
        outer_header = Header(run="1", job="outer", step=stage, attempt=self.calls)
        inner_header = Header(run="1", job="inner", step=stage, attempt=self.calls)
        self.send(self.call(stage, request, budget_ms), outer_header)
        while not self.next(Progress).message.interruptible:
            pass
        inside = replace(self.call(stage, inner, budget_ms), inside=True, scratch=".scratch/inner")
        self.send(inside, inner_header)
        first, inner_result = self._taken(stage, ".scratch/inner")
        assert first.job == "inner"
        return self._taken(stage, ".scratch/x")[1], inner_result

    def _taken(self, stage: str, scratch: str) -> tuple[Header, Any]:
        """Return the next result, its files where the coordinator would put them, and whose it is."""
        ended = self.next(Result, Failure)
        self.send(Ack(), ended.header)
        outcome = ended.message
        assert isinstance(outcome, Result), f"{outcome.error}\n{self.log.read_text()[-4000:]}"
        for artefact in outcome.artefacts:
            final = self.folder / artefact.path
            final.parent.mkdir(parents=True, exist_ok=True)
            made = self.folder / scratch / Path(artefact.path).relative_to(STAGES[stage].folder)
            made.replace(final)
        return ended.header, from_plain(STAGES[stage].result, outcome.result)

    def refuse(self, stage: str, request: Any) -> ErrorInfo:
        """Do one call that must fail and return its error."""
        self.calls += 1
        header = Header(run="1", job="job-1", step=stage, attempt=self.calls)
        self.send(self.call(stage, request), header)
        outcome = self.next(Result, Failure).message
        self.send(Ack(), header)
        assert isinstance(outcome, Failure), outcome
        return outcome.error
