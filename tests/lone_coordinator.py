"""The coordinator's real loop, store and sockets in this process, turned by hand by a test."""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path
from typing import Any

import pytest
import zmq

from coordinator.loop import Coordinator
from coordinator.planning.planner import plan
from coordinator.running.cores import CoreShares
from coordinator.running.roster import Member
from coordinator.store import job_folder
from coordinator.store.store import StepRow, Store
from protocol.artefacts import Artefact, describe_file
from protocol.endpoints import client_endpoint, worker_endpoint
from protocol.frames import Envelope, Header, decode, encode
from protocol.messages import MESSAGES, Call, CallIdentity, Hello, Submit
from protocol.schema import from_plain, to_plain
from protocol.stages.demux import DemuxResult
from protocol.supervisor import (
    Beat,
    ChildReport,
    Command,
    SupervisorReport,
    child_name,
    parse_command,
    write_supervisor,
)
from tests.ill.engines import FACTS
from tests.plans import all_by

CORES = 4
"""The machine's, as the coordinator was told."""


class PlayedWorker:
    """A worker's two sockets in the hands of a test."""

    def __init__(self, endpoint: str, environment: str, pid: int, number: int = 1) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._endpoint = endpoint
        self._inbox: list[Envelope] = []
        self.name = f"{child_name(environment, number)}.{pid}.test"
        self.hello = Hello(
            worker=self.name, environment=environment, pid=pid, pulse=f"{self.name}/pulse", state="ready"
        )
        self.socket = self._connect(self.name)
        self.pulse = self._connect(self.hello.pulse)

    def _connect(self, name: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.DEALER)
        socket.setsockopt(zmq.ROUTING_ID, name.encode())
        socket.connect(self._endpoint)
        return socket

    def say(self, message: Any, identity: CallIdentity | None = None) -> None:
        """Send to the coordinator."""
        header = Header(**identity.__dict__) if identity is not None else Header()
        self.socket.send_multipart(encode(type(message).__name__, header, message))

    def heard(self, kind: type) -> Header | None:
        """Return the header of the next message of this kind, None where there is none yet."""
        envelope = self.next(kind)
        return envelope.header if envelope is not None else None

    def told(self, kind: type) -> list[Any]:
        """Return the messages of this kind that have come since the last look."""
        return [from_plain(kind, found.body) for found in iter(lambda: self.next(kind), None)]

    def types(self) -> list[str]:
        """Return the types of the messages that have come and were not looked at."""
        self._read()
        return [envelope.type for envelope in self._inbox]

    def next(self, kind: type) -> Envelope | None:
        """Return the next message of this kind, None where there is none yet."""
        self._read()
        for envelope in self._inbox:
            if envelope.type == kind.__name__:
                self._inbox.remove(envelope)
                return envelope
        return None

    def _read(self) -> None:
        while self.socket.poll(0):
            self._inbox.append(decode(self.socket.recv_multipart()))

    def leave(self) -> None:
        """Close both sockets, as the kernel does for a process that dies."""
        self._context.destroy(linger=0)


class LoneCoordinator:
    """A context manager; `turns` until something is so."""

    def __init__(self, tmp_path: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="cpw-", dir="/tmp")
        self.runtime = Path(self._folder.name)
        self.path = tmp_path
        self._supervisor_end, self._control = os.pipe()
        os.set_blocking(self._supervisor_end, False)
        self.store = Store(tmp_path / "state" / "jobs.sqlite")
        self.coordinator = self._make()
        self._workers: list[PlayedWorker] = []

    def __enter__(self) -> LoneCoordinator:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.leave()
        self.coordinator.close()
        self.store.close()
        os.close(self._supervisor_end)
        os.close(self._control)
        self._folder.cleanup()

    def _make(self) -> Coordinator:
        return Coordinator(self.runtime, self.store, self._control, cores=CoreShares(CORES))

    def restart(self) -> None:
        """Be a coordinator that has died and come back."""
        self.coordinator.close()
        self.store.close()
        self.store = Store(self.path / "state" / "jobs.sqlite")
        self.coordinator = self._make()

    def supervisor_hears(self) -> list[Command]:
        """Return what the supervisor was asked since the last look; that the loop turns is not asked."""
        try:
            heard = [parse_command(line) for line in os.read(self._supervisor_end, 65536).splitlines()]
        except BlockingIOError:
            return []
        return [command for command in heard if not isinstance(command, Beat)]

    def supervised(self, **children: dict[str, Any]) -> None:
        """Write what a supervisor says of its children; each in the words of `ChildReport`."""
        reports = {name: from_plain(ChildReport, child, strict=True) for name, child in children.items()}
        write_supervisor(self.runtime, SupervisorReport(pid=1, started=0.0, children=reports))

    def worker(self, environment: str = "common", pid: int | None = None, number: int = 1) -> PlayedWorker:
        """Return a worker that has been welcomed; it is given a call as soon as one is ready.

        `number`: which of the environment's workers it is.
        """
        worker = PlayedWorker(worker_endpoint(self.runtime), environment, pid or os.getpid(), number)
        self._workers.append(worker)
        worker.say(worker.hello)
        self.until(lambda: worker.name in self.members)
        return worker

    @property
    def members(self) -> dict[str, Member]:
        """Return the workers as the coordinator knows them, by name."""
        return self.coordinator.roster.members

    def add_job(self, **fields: Any) -> str:
        """Put a job for one film into the store and return its id."""
        number = len(self.store.newest_jobs(1_000)) + 1
        directory = self.path / f"job{number}"
        (directory / "logs").mkdir(parents=True)
        given = {"media": "/film.mkv", "workflow": "transcribe", "user": "u", "out": "/out"}
        submit = Submit(**(given | fields))
        steps = plan(
            submit,
            all_by(
                lambda stage: {"demux": "common", "clean": "common", "subtitle": "common"}.get(
                    stage, "whisperx"
                )
            ),
        )
        with self.store.transaction():
            self.store.add_job(f"job-{number}", submit, directory, steps.steps, [])
        return f"job-{number}"

    def step(self, job: str, name: str = "demux") -> StepRow:
        """Return a step as the store has it."""
        return next(step for step in self.store.steps(job) if step.name == name)

    def until(self, condition: Any, turns: int = 400) -> Any:
        """Turn until `condition` is true and return it."""
        for _ in range(turns):
            if value := condition():
                return value
            self.coordinator.turn(10)
        message = f"not within {turns} turns"
        raise AssertionError(message)

    def ask(self, *messages: Any) -> list[Any]:
        """Send these as one client would and return the answers."""
        context: zmq.Context[Any] = zmq.Context()
        socket = context.socket(zmq.DEALER)
        socket.connect(client_endpoint(self.runtime))
        answers = []
        for message in messages:
            socket.send_multipart(encode(type(message).__name__, Header(request="r"), message))
            self.until(lambda: socket.poll(0))
            envelope = decode(socket.recv_multipart())
            answers.append(from_plain(MESSAGES[envelope.type], envelope.body))
        context.destroy(linger=0)
        return answers


def hold_files_back(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let no file of a result be accepted before the event that is returned is set."""
    may_go_on = threading.Event()
    accept = job_folder.accept

    def wait_and_accept(*call: Any) -> None:
        assert may_go_on.wait(20), "the test has not let it go on"
        accept(*call)

    monkeypatch.setattr(job_folder, "accept", wait_and_accept)
    return may_go_on


def called(lone: LoneCoordinator, worker: PlayedWorker) -> CallIdentity:
    """Return the identity of the next call that the worker is given."""
    header = lone.until(lambda: worker.heard(Call))
    return CallIdentity(job=header.job, step=header.step, attempt=header.attempt, run=header.run)


def demux_result(directory: Path, identity: CallIdentity) -> tuple[dict[str, Any], Artefact]:
    """Leave a sound in the scratch folder of a demux call; return the call's result and its file."""
    scratch = directory / ".scratch" / f"demux-{identity.attempt}"
    scratch.mkdir(parents=True)
    (scratch / "audio.wav").write_bytes(b"sound")
    audio = describe_file(scratch / "audio.wav", "01_demux/audio.wav")
    result = DemuxResult(audio=audio, audio_duration_ms=2_000, audio_track=0, clip_start_ms=0, facts=FACTS)
    return to_plain(result), audio
