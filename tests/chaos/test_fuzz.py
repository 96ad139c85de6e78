"""Whatever is said to the coordinator's sockets, it lives, answers, keeps its log short and does not grow."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import zmq

from clients.connection import Client
from protocol.endpoints import client_endpoint, worker_endpoint
from protocol.errors import NotRunningError, WireError
from protocol.frames import Header, decode, encode
from protocol.messages import HealthQuery, Hello, StatusQuery, Submit
from tests.chaos.frames import Mutator
from tests.conftest import Figure
from tests.house import House, until

pytestmark = pytest.mark.chaos

_SEED = int(os.environ.get("SEED", "1"))
_GROWTH_BYTES = 20 * 1024 * 1024
_LOG_BYTES = 2 * 1024 * 1024
_LOOK_EVERY = 50
_SUBMIT_EVERY = 1_000


class AloneCoordinator:
    """A real coordinator process without a supervisor; a context manager."""

    def __init__(self, tmp_path: Path) -> None:
        self.house = House(tmp_path)
        self.log = tmp_path / "coordinator.log"

    def __enter__(self) -> AloneCoordinator:
        python = self.house.home / "venv" / "common" / "bin" / "python"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [python, "-I", "-u", "-m", "coordinator", "--runtime", self.house.runtime],
                env=self.house.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.answers()
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()
        self.house.__exit__()

    def answers(self) -> None:
        """Wait until a question is answered."""

        def ask() -> Any:
            assert self.process.poll() is None, f"the coordinator died:\n{self.log.read_text()[-4_000:]}"
            try:
                with Client(self.house.runtime, 2_000) as client:
                    return client.ask(HealthQuery()) and client.ask(StatusQuery(limit=5))
            except NotRunningError:
                return None

        until(ask, 20.0, "an answer")

    def rss(self) -> int:
        """Return what is resident now."""
        return psutil.Process(self.process.pid).memory_info().rss


class Flood:
    """Peers at both sockets that say what a mutator makes."""

    def __init__(self, alone: AloneCoordinator, mutator: Mutator) -> None:
        self._mutator = mutator
        self._context: zmq.Context[Any] = zmq.Context()
        runtime = alone.house.runtime
        names = [f"common.{os.getpid()}.fuzz{number}" for number in range(3)]
        self._peers = [(name, self._connect(worker_endpoint(runtime), name)) for name in names]
        self._peers += [("", self._connect(worker_endpoint(runtime), f"{names[0]}/pulse"))]
        self._peers += [
            ("", self._connect(client_endpoint(runtime), f"client{number}")) for number in range(3)
        ]
        for name, socket in self._peers[:3]:
            hello = Hello(
                worker=name, environment="common", pid=os.getpid(), pulse=f"{name}/pulse", state="ready"
            )
            socket.send_multipart(encode("Hello", Header(), hello))

    def _connect(self, endpoint: str, name: str) -> zmq.Socket[bytes]:
        socket = self._context.socket(zmq.DEALER)
        socket.linger = 0
        socket.setsockopt(zmq.ROUTING_ID, name.encode())
        socket.setsockopt(zmq.SNDTIMEO, 20_000)
        socket.connect(endpoint)
        return socket

    def close(self) -> None:
        """Leave."""
        self._context.destroy(linger=0)

    def say(self) -> None:
        """Say one thing as one of the peers."""
        name, socket = self._mutator.random.choice(self._peers)
        socket.send_multipart(self._mutator.frames(name))

    def hear(self) -> None:
        """Take what the coordinator said, and remember which calls it gave out."""
        for _, socket in self._peers:
            while socket.poll(0):
                try:
                    envelope = decode(socket.recv_multipart())
                except WireError:
                    continue  # a ping, or an answer in the version of a peer that we played
                if envelope.type == "Call":
                    self._mutator.calls = [*self._mutator.calls[-5:], dict(envelope.header.__dict__)]


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[AloneCoordinator]:
    """Return a coordinator that answers."""
    with AloneCoordinator(tmp_path) as running:
        yield running


def flood(alone: AloneCoordinator, count: int, figure: Figure) -> None:
    """Say `count` things, a tenth of them before memory is looked at, and ask whether all is well."""
    film = alone.house.home / "Film.mkv"
    film.write_bytes(b"film")
    submit = Submit(media=str(film), workflow="subtitle", user="u", out=str(alone.house.out), reuse=False)
    peers = Flood(alone, Mutator(_SEED))
    begun, rss = time.monotonic(), 0
    for number in range(count):
        if number % _SUBMIT_EVERY == 0:
            with Client(alone.house.runtime, 20_000) as client:
                client.ask(submit)
        if number == max(count // 10, 2_000):
            alone.answers()
            rss = alone.rss()
        peers.say()
        if number % _LOOK_EVERY == 0:
            peers.hear()
    peers.hear()
    alone.answers()
    peers.close()
    took, growth, log = time.monotonic() - begun, alone.rss() - rss, alone.log.stat().st_size
    figure(
        f"fuzz (SEED={_SEED}): {count} frames in {took:.0f} s at both sockets, 0 deaths, "
        f"RSS {growth / 2**20:+.1f} MB to {alone.rss() / 2**20:.0f} MB, log {log // 1024} KiB"
    )
    assert "a message on socket w" in alone.log.read_text()
    assert growth < _GROWTH_BYTES
    assert log < _LOG_BYTES


@pytest.mark.timeout(120)
def test_the_coordinator_outlives_five_thousand_wrong_frames(alone: AloneCoordinator, figure: Figure) -> None:
    flood(alone, 5_000, figure)


@pytest.mark.long
@pytest.mark.timeout(1_200)
def test_the_coordinator_outlives_two_hundred_thousand_wrong_frames(
    alone: AloneCoordinator, figure: Figure
) -> None:
    flood(alone, 200_000, figure)
