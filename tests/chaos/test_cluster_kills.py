"""Any process of a cluster is killed or stopped at any moment, while films are coming in at its head."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.chaos.clusters import Cluster, Machine
from tests.chaos.stream import Stream, finish, work_on
from tests.conftest import Figure
from tests.house import until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.env("common", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
]

_SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
_PAUSE_S = 3.0
_WHOLE_AGAIN = 0.25
"""So often everything works again before the next disturbance; otherwise one hits the wounds of another."""
_ASLEEP_S = 12.0
"""Longer than head and bridge wait for a node, shorter than Ray does."""
_OPEN = 16
_MOST_LOST = 16
"""Steps that one disturbance can take from its workers: two a worker, of two workers on each machine."""
_NODES = ("one", "two", "three")

Victims = Callable[[Cluster, random.Random], list[psutil.Process]]


def _of_head(part: str) -> Victims:
    return lambda cluster, _: cluster.head.parts(part)


def _of_a_node(part: str) -> Victims:
    return lambda cluster, chance: _some_node(cluster, chance).parts(part)


def _some_node(cluster: Cluster, chance: random.Random) -> Machine:
    return chance.choice(list(cluster.nodes.values()))


def _supervisor(cluster: Cluster, chance: random.Random) -> list[psutil.Process]:
    node = _some_node(cluster, chance)
    alive = node.supervisor is not None and node.supervisor.poll() is None
    return [psutil.Process(node.supervisor.pid)] if alive and node.supervisor else []


KILLED: dict[str, Victims] = {
    "agent": _of_a_node("agent"),
    "raylet": _of_a_node("raylet"),
    "gcs": _of_head("gcs"),
    "bridge": _of_head("bridge"),
    "node's worker": _of_a_node("worker"),
    "head's worker": _of_head("worker"),
    "coordinator": _of_head("coordinator"),
    "node's supervisor": _supervisor,
}
STOPPED: dict[str, Victims] = {
    "agent": _of_a_node("agent"),
    "raylet": _of_a_node("raylet"),
    "node's worker": _of_a_node("worker"),
    "whole node": lambda cluster, chance: _some_node(cluster, chance).whole(),
}
ENDS_WORKERS = ("node's worker", "head's worker")


class Disturber:
    """Picks victims by chance; knows how often which was killed or stopped."""

    def __init__(self, cluster: Cluster, seed: int) -> None:
        self._cluster = cluster
        self._chance = random.Random(seed)
        self.killed: Counter[str] = Counter()
        self.stopped: Counter[str] = Counter()

    def pause_s(self) -> float:
        """Return how long nothing happens."""
        return self._chance.uniform(0, _PAUSE_S)

    def waits(self) -> bool:
        """Return whether everything is to work again before the next one."""
        return self._chance.random() < _WHOLE_AGAIN

    def kill(self) -> None:
        """Kill one process; nothing where the kind that was picked is not there this moment."""
        kind = self._chance.choice(list(KILLED))
        victims = KILLED[kind](self._cluster, self._chance)
        with contextlib.suppress(psutil.NoSuchProcess, IndexError):
            self._chance.choice(victims).send_signal(signal.SIGKILL)
            self.killed[kind] += 1

    def stop(self) -> None:
        """Have one process, or all of a node, stand still for a while."""
        kind = self._chance.choice(list(STOPPED))
        victims = STOPPED[kind](self._cluster, self._chance)
        if kind != "whole node":
            victims = victims[-1:]
        if victims:
            self._cluster.sleep(victims, _ASLEEP_S)
            self.stopped[kind] += 1

    def worker_ends(self) -> int:
        """Return how many workers have died of it at most, those aside that died with their supervisor."""
        return sum(self.killed[kind] for kind in ENDS_WORKERS) + self.stopped["node's worker"]

    def __str__(self) -> str:
        def named(counts: Counter[str]) -> str:
            return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))

        return f"{self.killed.total()} kills ({named(self.killed)}), {self.stopped.total()} stops (" + (
            f"{named(self.stopped)})"
        )


def disturb(cluster: Cluster, kills: int, stops: int, jobs: int, figure: Figure) -> None:
    """Kill and stop as often, while so many films come; then look whether anything is missing."""
    cluster.start()
    begun_s = time.monotonic()
    stream = Stream(cluster.head, cluster.films, _OPEN)
    calm = calm_run(cluster, stream)
    disturber = Disturber(cluster, _SEED)
    while disturber.killed.total() < kills or disturber.stopped.total() < stops or len(stream.jobs) < jobs:
        stream.due = min(jobs, len(stream.jobs) + jobs // kills + 1)
        if disturber.waits() and not cluster.asleep:
            until(lambda: stream.go_on() or cluster.works(), 120, "every node works")
        work_on(cluster, stream, disturber.pause_s())
        # One stands still at a time.
        if disturber.stopped.total() < stops and not cluster.asleep:
            disturber.stop()
        if disturber.killed.total() < kills:
            disturber.kill()
    cluster.wake_all()
    stream.complete(cluster)
    resumed = finish(cluster.head, cluster, len(stream.films))
    took_s = time.monotonic() - begun_s
    figure(f"cluster (SEED={_SEED}): {disturber}, {took_s:.0f} s, {resumed} jobs resumed by hand")
    gone_s = cluster.stop()
    figure(f"cluster: nothing of it is left {gone_s:.1f} s after its end; {judge(cluster, stream, calm)}")
    assert cluster.head.left_over() == []
    explain_steps(cluster, disturber, figure)


def judge(cluster: Cluster, stream: Stream, calm: dict[str, bytes]) -> str:
    """Check that every film is there, once, as without any disturbance; return what was found."""
    head = cluster.head
    made = {film: made_of(Path(folder)) for folder, film in head.folders_and_films()}
    lost = len(stream.films) - len(made)
    doubled = head.job_count() - len(stream.films)
    unequal = [film.name for film in stream.films if made.get(str(film)) != calm_of(calm, film)]
    assert (lost, doubled, unequal) == (0, 0, [])
    kind = "a shared folder" if cluster.shared else "files by HTTP"
    return f"{len(made)} jobs with {kind}: {lost} lost, {doubled} doubled, {len(unequal)} unequal"


def explain_steps(cluster: Cluster, disturber: Disturber, figure: Figure) -> None:
    """Only a worker's death costs a step a life, and only its own or its supervisor's ends a worker."""
    steps, nodes = cluster.head.steps(), cluster.done_by()
    again = sum(step.attempt - 1 for step in steps)
    lives, failures = sum(step.kills for step in steps), sum(step.failures for step in steps)
    starts = sum(machine.worker_starts() for machine in cluster.machines)
    needed = sum(2 * machine.launches for machine in cluster.machines)
    figure(
        f"cluster: {again} of {len(steps)} steps begun again, {lives} lives, {failures} failures; workers "
        f"started {starts} times, {needed} with their supervisors; done by {dict(nodes)}"
    )
    assert {step.state for step in steps} == {"done"}
    assert nodes.total() > nodes[""], "nodes have taken part"
    assert again <= _MOST_LOST * (disturber.killed.total() + disturber.stopped.total())
    # Each worker has one call that it works on.
    assert lives <= disturber.worker_ends()
    assert starts <= needed + disturber.worker_ends(), "models were loaded again"


def calm_run(cluster: Cluster, stream: Stream) -> dict[str, bytes]:
    """Do one film before anything is disturbed, and return what it gave."""
    stream.go_on()
    assert finish(cluster.head, cluster, 1) == 0
    ((folder, _),) = cluster.head.folders_and_films()
    return made_of(Path(folder))


def made_of(folder: Path) -> dict[str, bytes]:
    """Return every file that the job's steps have made, but what a quick engine was asked."""
    files = (path for stage in folder.glob("[0-9][0-9]_*") for path in stage.rglob("*"))
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in files
        if path.is_file() and path.name != "asked.json"
    }


def calm_of(calm: dict[str, bytes], film: Path) -> dict[str, bytes]:
    """Return what the calm run would have given of this film: its name and its bytes aside the same."""
    number = film.stem.rpartition(" ")[2]
    return {
        name.replace("Film 0", film.stem): data.replace(b"film 0", b"film " + number.encode())
        for name, data in calm.items()
    }


@pytest.fixture
def seed() -> int:
    """Print what is needed to do it again, first of all."""
    print(f"SEED={_SEED}", flush=True)  # noqa: T201 (see above)
    return _SEED


@pytest.mark.timeout(300)
def test_a_cluster_loses_nothing_under_a_dozen_disturbances(
    tmp_path: Path, seed: int, figure: Figure
) -> None:
    with Cluster(tmp_path, _NODES, shared=True) as cluster:
        disturb(cluster, 10, 2, 40, figure)


@pytest.mark.long
@pytest.mark.timeout(2_400)
@pytest.mark.parametrize("shared", [True, False], ids=["shared", "http"])
def test_a_cluster_loses_nothing_under_a_hundred_kills_and_ten_stops(
    tmp_path: Path, shared: bool, seed: int, figure: Figure
) -> None:
    with Cluster(tmp_path, _NODES, shared=shared) as cluster:
        disturb(cluster, 100, 10, 500, figure)
