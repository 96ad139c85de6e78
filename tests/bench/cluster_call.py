"""An empty call to a worker of another node and back, beside one to a worker of this machine.

`make bench-cluster-call` starts Ray on two addresses of this machine, the bridge, an agent with its relay.
A worker on either side sends every message back: the head's own is connected to the coordinator's socket, the
node's goes coordinator - bridge - Ray's call - agent - relay - worker. The calls take turns.
"""

from __future__ import annotations

import statistics
import sys
import time

from envspecs.layout import interpreter
from protocol.endpoints import worker_endpoint
from tests.bench.figures import Sheet, skip
from tests.bench.peers.echo_worker import EchoWorker
from tests.bench.rpc import at, take_turns
from tests.ray_cluster import ENVIRONMENT, RayCluster

BLOCKS = 20
P50_LIMIT_MS = 3.0
P99_LIMIT_MS = 10.0
"""Both are the requirement, on a machine that does nothing else."""
_NODE = "box"
_NAME = "echo.1.a"
_WITHIN_MS = 10_000
_FRAMES = [b"CPW", b"1", b"Cores", b"h" * 100, b"b" * 300]
"""As large as those of a call; the relay passes this type on unread."""


def seconds(cluster: RayCluster, route: list[bytes]) -> float:
    """Return what a message takes to the worker at the end of the route, and back."""
    head = cluster.head
    begun = time.perf_counter()
    head.socket.send_multipart([*route, *_FRAMES])
    while True:
        assert head.socket.poll(_WITHIN_MS), f"nothing comes back from {route}"
        frames = head.socket.recv_multipart()
        if frames[: len(route)] == route:
            return time.perf_counter() - begun
        head.take(frames)


def measure(cluster: RayCluster, sheet: Sheet) -> None:
    """Measure blocks of calls, local and remote in turns."""
    here = [_NAME.encode()]
    there = [f"node/{_NODE}".encode(), f"{_NAME}@{_NODE}".encode()]
    local: list[list[float]] = []
    remote: list[list[float]] = []
    for block in range(BLOCKS + 1):
        of_remote, of_local = take_turns(lambda: seconds(cluster, there), lambda: seconds(cluster, here))
        if block:
            remote.append(of_remote)
            local.append(of_local)
    name = "an empty call to a node's worker through Ray"
    sheet.add(f"{name}, p50", at(0.5, remote), limit=P50_LIMIT_MS, unit="ms")
    sheet.add(f"{name}, p99", at(0.99, remote), limit=P99_LIMIT_MS, unit="ms")
    sheet.add(f"{name} against a local one, p50", at(0.5, remote), at(0.5, local), unit="ms")
    sheet.add(f"{name} against a local one, p99", at(0.99, remote), at(0.99, local), unit="ms")
    slowest = statistics.median(times[-1] for times in remote)
    sys.stdout.write(f"{BLOCKS} blocks; a block's slowest call: {slowest:.1f} ms\n")


def main() -> int:
    """Measure, print, judge."""
    if not interpreter(ENVIRONMENT).exists():
        return skip(f"the environment {ENVIRONMENT} is not built: cpw envs build {ENVIRONMENT}")
    sheet = Sheet("make bench-cluster-call")
    with RayCluster() as cluster:
        cluster.start(_NODE)
        cluster.worker(_NODE)
        with EchoWorker(worker_endpoint(cluster.runtime), _NAME):
            for worker in (f"{_NAME}@{_NODE}".encode(), _NAME.encode()):
                cluster.head.until(
                    lambda worker=worker: any(
                        worker in frames[:2] and b"Hello" in frames for frames in cluster.head.heard
                    )
                )
            measure(cluster, sheet)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
