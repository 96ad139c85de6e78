"""A cluster on one machine: real Ray, real bridge, agents and relays; coordinator and workers are played."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import zmq

from envspecs.layout import interpreter
from protocol.cluster.bridge import BridgeReport, read_bridge
from protocol.cluster.messages import NODE_MESSAGES, NodeHello, NodeWelcome
from protocol.endpoints import worker_endpoint
from protocol.frames import Header, encode
from tests.bench.peers.echo_worker import EchoWorker
from tests.data import ROOT
from tests.house import until

__all__ = ["ENVIRONMENT", "PlayedHead", "RayCluster"]

ENVIRONMENT = "cluster"
# So that a test sees in seconds what takes a minute otherwise.
_QUICK = {
    "RAY_health_check_initial_delay_ms": "500",
    "RAY_health_check_period_ms": "500",
    "RAY_health_check_timeout_ms": "2000",
    "RAY_health_check_failure_threshold": "3",
}
_BLOCK = 100
"""Ports of one node."""


def free_ports(count: int) -> int:
    """Return the first of so many ports that nobody uses."""
    for first in range(12_000 + os.getpid() % 50 * 100, 19_900, count):
        with socket.socket() as trial:
            try:
                trial.bind(("0.0.0.0", first))
            except OSError:
                continue
            return first
    raise AssertionError("no free ports")


class PlayedHead:
    """The coordinator's socket for workers; every node is welcomed at once."""

    def __init__(self, runtime: Path) -> None:
        self._endpoint = worker_endpoint(runtime)
        self._context: zmq.Context[Any] = zmq.Context()
        self.hellos: list[str] = []
        """Nodes, in the order of their hellos."""
        self.heard: list[list[bytes]] = []
        """What workers said, with the node's connection in front."""
        self.open()

    def open(self) -> None:
        """Bind the socket, as a coordinator that starts does."""
        Path(self._endpoint.removeprefix("ipc://")).unlink(missing_ok=True)
        self.socket = self._context.socket(zmq.ROUTER)
        self.socket.linger = 0
        self.socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self.socket.setsockopt(zmq.ROUTER_HANDOVER, 1)
        self.socket.bind(self._endpoint)

    def close(self) -> None:
        """Close the socket, as the kernel does for a coordinator that dies."""
        self.socket.close(linger=0)

    def destroy(self) -> None:
        """End it for good."""
        self._context.destroy(linger=0)

    def read(self) -> None:
        """Take in what has come."""
        while self.socket.poll(0):
            self.take(self.socket.recv_multipart())

    def take(self, frames: list[bytes]) -> None:
        """Take in a message."""
        if len(frames) == 7 and frames[4].decode() in {kind.__name__ for kind in NODE_MESSAGES}:
            if frames[4].decode() == NodeHello.__name__:
                self.hellos.append(frames[0].decode().partition("/")[2])
                self.heard.append([frames[0], b"", b"NodeHello"])
                self.send(frames[0], b"", encode("NodeWelcome", Header(run="1"), NodeWelcome()))
            return
        self.heard.append(frames)

    def send(self, connection: bytes, worker: bytes, frames: list[bytes]) -> None:
        """Send to a node, or to a worker of it."""
        self.socket.send_multipart([connection, worker, *frames], zmq.NOBLOCK)

    def until(self, condition: Callable[[], Any], what: str = "", timeout_s: float = 35.0) -> Any:
        """Read until something is so."""

        def so() -> Any:
            self.read()
            return condition()

        return until(so, timeout_s, what)


class RayCluster:
    """A context manager. `nodes` is each node's runtime directory, by its name."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cpw-", dir="/tmp"))
        self.runtime = self._make("r")
        self._first = free_ports(4 * _BLOCK)
        self.address = f"127.0.0.1:{self._first}"
        self.nodes: dict[str, Path] = {}
        self._ray: dict[str, subprocess.Popen[bytes]] = {}
        self.bridge: subprocess.Popen[bytes] | None = None
        self._bound: list[EchoWorker] = []
        token = self.folder / "token"
        token.touch(mode=0o600)
        token.write_text(secrets.token_hex(16))
        self.environ = (
            os.environ
            | _QUICK
            | {
                "RAY_AUTH_MODE": "token",
                "RAY_AUTH_TOKEN_PATH": str(token),
                "RAY_USAGE_STATS_ENABLED": "0",
                # An environment has no tests in it; Ray hands this on to the agents.
                "PYTHONPATH": str(ROOT),
            }
        )
        self.head = PlayedHead(self.runtime)

    def _make(self, name: str) -> Path:
        path = self.folder / name
        path.mkdir(mode=0o700)
        return path

    def __enter__(self) -> RayCluster:
        return self

    def __exit__(self, *_: object) -> None:
        self.head.destroy()
        for worker in self._bound:
            worker.close()
        if self.bridge is not None:
            self.bridge.kill()
            self.bridge.wait()
        for name in list(self._ray):
            self.end(name)
        shutil.rmtree(self.folder, ignore_errors=True)

    # --- Ray ----------------------------------------------------------------------------------------

    def start(self, *nodes: str) -> RayCluster:
        """Start the head, the nodes and the bridge, and wait until every node has said hello."""
        self.start_head()
        for node in nodes:
            self.start_node(node)
        self.start_bridge()
        self.head.until(lambda: set(nodes) <= set(self.head.hellos), "every node says hello")
        return self

    def start_head(self) -> None:
        """Start the head's Ray, and wait until it can be asked."""
        host, _, port = self.address.partition(":")
        more = ["--head", f"--port={port}", "--include-dashboard=false", f"--node-ip-address={host}"]
        self._start("head", 0, more, {})
        until(lambda: _listens(int(port)), 40, "the head's Ray listens")

    def start_node(self, name: str, called: str = "", address: str = "") -> None:
        """Start a node's Ray, the agent's name being `called`; the first node is 127.0.0.2."""
        if name not in self.nodes:
            self.nodes[name] = self._make(f"n{len(self.nodes)}")
        place = list(self.nodes).index(name) + 1
        more = [f"--address={self.address}", f"--node-ip-address={address or f'127.0.0.{place + 1}'}"]
        runtime = self.nodes[name]
        variables = {"CPW_RUNTIME": str(runtime), "CPW_STATE": str(runtime), "PLAYED_NODE": called or name}
        self._start(name, place, more, variables)

    def _start(self, name: str, place: int, more: list[str], variables: dict[str, str]) -> None:
        first = self._first + place * _BLOCK
        ports = [f"--node-manager-port={first + 1}", f"--object-manager-port={first + 2}"]
        ports += [f"--runtime-env-agent-port={first + 3}", f"--dashboard-agent-listen-port={first + 4}"]
        ports += [f"--dashboard-agent-grpc-port={first + 5}", f"--metrics-export-port={first + 6}"]
        ports += [f"--min-worker-port={first + 10}", f"--max-worker-port={first + 99}"]
        rest = ["--num-cpus=0", "--num-gpus=0", "--object-store-memory=80000000", "--disable-usage-stats"]
        rest += ["--include-log-monitor=false", f"--temp-dir={self.folder / ('t' + str(place))}"]
        words = ["ray.scripts.scripts", "start", "--block", *more, *ports, *rest]
        self._ray[name] = self._launch(name, words, variables)

    def _launch(self, name: str, words: list[str], variables: dict[str, str]) -> subprocess.Popen[bytes]:
        """Start a module of the environment with Ray; what it prints goes into `<name>.log`."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [interpreter(ENVIRONMENT), "-m", *words],
                env=self.environ | variables,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def processes(self, name: str, *words: str) -> list[psutil.Process]:
        """Return those of the node's processes whose command line has one of the words, or all of them."""
        found = []
        for process in psutil.Process(self._ray[name].pid).children(recursive=True):
            try:
                line = " ".join(process.cmdline())
            except psutil.Error:
                continue
            if not words or any(word in line for word in words):
                found.append(process)
        return found

    def agent(self, name: str) -> psutil.Process:
        """Return the process of the node's agent."""
        return until(lambda: self.processes(name, "ray::PlayedAgent"), 30, "the agent runs")[0]

    def signal(self, name: str, word: str, number: int) -> None:
        """Send a signal to the node's processes with that word."""
        for process in self.processes(name, word):
            process.send_signal(number)

    def end(self, name: str) -> None:
        """Kill all of a node's Ray."""
        ray = self._ray.pop(name)
        mine = psutil.Process(ray.pid).children(recursive=True) if ray.poll() is None else []
        ray.kill()
        ray.wait()
        for process in [*mine, *_left(str(self.folder), name)]:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue

    # --- the bridge and the workers -----------------------------------------------------------------

    def start_bridge(self) -> None:
        """Start the bridge."""
        words = ["tests.played_agent", str(self.runtime), self.address]
        self.bridge = self._launch("bridge", words, {})

    def bridge_log(self) -> str:
        """Return what the bridge has written."""
        return (self.folder / "bridge.log").read_text()

    def report(self) -> BridgeReport:
        """Return what the bridge says about the nodes."""
        report = read_bridge(self.runtime)
        assert report is not None
        return report

    def worker(self, node: str, name: str = "echo.1.a") -> EchoWorker:
        """Return a new worker of the node."""
        self._bound.append(EchoWorker(worker_endpoint(self.nodes[node]), name))
        return self._bound[-1]


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _left(folder: str, name: str) -> list[psutil.Process]:
    """Return the processes below a folder that have lost their parent."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.ppid() == 1 and folder in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found
