"""How well one coordinator feeds fifty nodes whose steps are short, and what that costs the head.

`make bench-cluster` plays the nodes (`tests.bench.played_nodes`): a real coordinator with a real store on
disk gives them 10,000 jobs of one step of 50 ms. Then the same nodes get as many tasks from a bare ROUTER
(`tests.bench.peers.bare_router`), which says what this machine could do at best. A figure of the players
tells whether they were what limits.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from protocol.endpoints import worker_endpoint
from protocol.schema import from_json
from tests.bench.dispatch import IdleHouse
from tests.bench.figures import Sheet
from tests.bench.peers.bare_router import make_store
from tests.bench.played_nodes import Played
from tests.bench.wal import WalWatch
from tests.data import ROOT
from tests.rss import Watch

NODES, STEPS, STEP_MS = 50, 10_000, 50
WITHIN_S = 300
UNUSED_LIMIT = 15.0
"""A requirement: at least 85 % of the nodes' time is used."""


@dataclass(frozen=True, kw_only=True)
class Fed:
    """What the nodes did, and what it cost the process that fed them."""

    played: Played
    processor_s: float
    memory: int
    commits: int
    written: int
    """Bytes of the write-ahead log."""

    @property
    def unused(self) -> float:
        """Return which part of the nodes' time had no step, in percent."""
        return 100 * (1 - self.played.busy_s / (NODES * self.played.wall_s))

    @property
    def step_ms(self) -> float:
        """Return one step's part of the time that it took."""
        return 1000 * self.played.wall_s / STEPS


def feed(process: psutil.Process, endpoint: str, store: Path, share: str = "") -> Fed:
    """Play nodes to the process until all steps are done; with a `share`, behind relays."""
    command = [
        sys.executable,
        "-m",
        "tests.bench.played_nodes",
        endpoint,
        *map(str, (NODES, STEPS, STEP_MS)),
        share,
    ]
    before = process.cpu_times()
    with Watch(process.pid) as watch, WalWatch(store) as log:
        said = subprocess.run(
            command, cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=WITHIN_S, text=True
        ).stdout
    after = process.cpu_times()
    return Fed(
        played=from_json(Played, said),
        processor_s=after.user + after.system - before.user - before.system,
        memory=watch.highest,
        commits=log.commits,
        written=log.written,
    )


def feed_by_coordinator(folder: Path) -> Fed:
    """Let a house's coordinator feed the nodes."""
    with IdleHouse(folder) as house:
        house.queue(STEPS, steps=1)
        alone = house.start_coordinator()
        try:
            return feed(alone, worker_endpoint(house.runtime), house.store_path, str(house.out))
        finally:
            alone.terminate()
            alone.wait(timeout=20)


@contextmanager
def bare_router(endpoint: str, store: Path) -> Iterator[psutil.Popen]:
    """Run the peer."""
    make_store(store, STEPS)
    command = [sys.executable, "-m", "tests.bench.peers.bare_router", endpoint, str(store), str(STEPS)]
    process = psutil.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        yield process
    finally:
        process.kill()
        process.wait()


def feed_by_router(folder: Path) -> Fed:
    """Let the bare ROUTER feed the nodes."""
    with tempfile.TemporaryDirectory(prefix="cpw-", dir="/tmp") as runtime:
        endpoint = worker_endpoint(Path(runtime))
        with bare_router(endpoint, folder / "tasks.sqlite") as router:
            return feed(router, endpoint, folder / "tasks.sqlite")


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as name:
        ours = feed_by_coordinator(Path(name))
        peer = feed_by_router(Path(name))
    sheet = Sheet("make bench-cluster")
    nodes = f"{NODES} played nodes"
    sheet.add(
        f"time of {nodes} without a step, {STEPS} steps of {STEP_MS} ms",
        [ours.unused],
        limit=UNUSED_LIMIT,
        unit="%",
    )
    sheet.add(f"the same of {nodes} that a bare ROUTER feeds", [peer.unused], unit="%")
    sheet.add(f"a step of {nodes} against a bare ROUTER's", [ours.step_ms], [peer.step_ms], unit="ms")
    sheet.add(
        "the head's processor for such a step against a bare ROUTER's",
        [1000 * ours.processor_s / STEPS],
        [1000 * peer.processor_s / STEPS],
        unit="ms",
    )
    sheet.add("commits for such a step", [ours.commits / STEPS], [peer.commits / STEPS], unit="commits")
    sheet.add(
        "written into the log of the store for such a step",
        [ours.written / STEPS],
        [peer.written / STEPS],
        unit="bytes",
    )
    sheet.add("the coordinator's memory at most", [ours.memory / 1e6], [peer.memory / 1e6], unit="MB")
    players = [100 * fed.played.processor_s / fed.played.wall_s for fed in (ours, peer)]
    sheet.add("of a core, to play the nodes", players[:1], players[1:], unit="%")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
