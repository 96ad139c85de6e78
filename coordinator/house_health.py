"""The health of everything: workers, job store, disks, models, nodes."""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import Path

import envspecs
from coordinator.checks import Checks, free_bytes
from coordinator.health import environments_health, node_environments
from coordinator.nodes.health import nodes_health
from coordinator.nodes.nodes import Nodes
from coordinator.running.dispatch import Dispatcher
from coordinator.running.memory import WorkerMemory
from coordinator.running.roster import Roster
from coordinator.store.backups import notices
from coordinator.store.store import Store
from protocol.messages import HealthReport

__all__ = ["HouseHealth"]


class HouseHealth:
    """Says how everything is, as of the moment of the question. Used by the loop's thread alone."""

    def __init__(
        self,
        runtime: Path,
        store: Store,
        roster: Roster,
        dispatcher: Dispatcher,
        memory: WorkerMemory,
        nodes: Nodes,
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._roster = roster
        self._dispatcher = dispatcher
        self._memory = memory
        self._nodes = nodes
        self._begun_s = time.monotonic()
        self._checks = Checks(store)

    def report(self) -> HealthReport:
        """Return how everything is."""
        now_s = time.monotonic()
        specs = envspecs.read_all()
        here = environments_health(specs, self._runtime, self._roster, now_s)
        present = sorted(self._nodes.present.items())
        there = [row for _, node in present for row in node_environments(specs, node, self._roster, now_s)]
        taken = Counter[str]()
        for row in there:
            taken[row.node] += row.rss_bytes
        nodes = nodes_health(self._nodes, taken, now_s)
        problems = self._checks.look(specs, envspecs.out_directory(), now_s)
        usable = all(row.usable for row in here if row.built or not row.optional)
        nodes_well = not any(node.problems for node in nodes) and not any(row.problem for row in there)
        return HealthReport(
            healthy=usable and nodes_well and not problems,
            run=self._dispatcher.run,
            pid=os.getpid(),
            uptime_ms=round((now_s - self._begun_s) * 1000),
            environments=(*here, *there),
            jobs_running=self._store.count_jobs("running"),
            jobs_queued=self._store.count_jobs("queued"),
            jobs_held=self._store.count_jobs("held"),
            notices=notices(self._store),
            free_disk_bytes=_free_bytes(self._store.path.parent),
            hardware=self._memory.hardware,
            ram_budget_bytes=self._memory.budget_bytes,
            cores=self._dispatcher.cores.total,
            problems=problems,
            nodes=nodes,
        )


def _free_bytes(folder: Path) -> int:
    try:
        return free_bytes(folder)
    except OSError:  # health says so among its problems
        return 0
