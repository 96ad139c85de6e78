"""What befalls one machine of a cluster, one after the other: whatever it is, no step pays for it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from protocol.messages import JobReport, StepReport, Submit
from tests.chaos.clusters import Cluster, Machine
from tests.chaos.stream import Stream
from tests.conftest import Figure
from tests.house import until

pytestmark = [
    pytest.mark.chaos,
    pytest.mark.env("common", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(240),
]

_ASLEEP_S = 12.0
_GIVEN_ON_S = 12.0


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Return a cluster whose nodes fetch files from the head."""
    with Cluster(tmp_path_factory.mktemp("cluster"), ("one", "two"), shared=False) as cluster:
        cluster.start()
        yield cluster


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    """Return it when every node works."""
    running.wake_all()
    running.be_healthy()
    return running


class Held:
    """Films of which each waits in its recognition until it is released."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self._cluster = cluster
        self._folder = folder
        self._jobs: dict[str, Path] = {}

    def on(self, node: str) -> str:
        """Return a job whose recognition runs on the node; films that others do are released."""
        found = ""
        for number in range(8):
            job = self._submit(number)
            if until(lambda job=job: self.asr(job).fraction > 0, what="it is recognised") and (
                self.asr(job).node == node
            ):
                found = job
                break
        assert found, f"{node} was given nothing"
        for job in self._jobs:
            if job != found:
                self.release(job)
        return found

    def _submit(self, number: int) -> str:
        film, release = self._folder / f"held {number}.mkv", self._folder / f"release {number}"
        film.write_bytes(b"held %d " % number + os.fsencode(self._folder))
        asked = {"asr": {"initial_prompt": f"until:{release}"}}
        head = self._cluster.head
        out = str(head.out)
        job = head.ask(Submit(media=str(film), workflow="subtitle", user="u", out=out, parameters=asked)).job
        self._jobs[job] = release
        return str(job)

    def release(self, job: str) -> None:
        """Let its recognition end."""
        self._jobs[job].touch()

    def asr(self, job: str) -> StepReport:
        """Return how its recognition is."""
        return next(step for step in self._cluster.head.job(job).steps if step.name == "asr")

    def ended(self, job: str) -> JobReport:
        """Return the job when it has ended; no step of it has cost a life or failed."""
        report = self._cluster.head.ended(job)
        assert report.state == "done", report
        assert {(step.kills, step.failures) for step in self._cluster.head.steps()} == {(0, 0)}
        return report


@pytest.fixture
def held(cluster: Cluster, tmp_path: Path) -> Held:
    """Return films that wait."""
    return Held(cluster, tmp_path)


def loads(cluster: Cluster) -> dict[str, int]:
    """Return how many workers each machine has started."""
    return {machine.name: machine.worker_starts() for machine in cluster.machines}


@pytest.mark.parametrize("what", ["node", "node's supervisor"])
def test_what_is_switched_off_loses_its_step_to_another_and_the_step_no_life(
    cluster: Cluster, held: Held, what: str, figure: Figure
) -> None:
    job, node = held.on("one"), cluster.nodes["one"]
    begun_s = time.monotonic()
    if what == "node":
        node.kill_whole()
    else:
        node.whole()[0].kill()
    until(lambda: (step := held.asr(job)).attempt == 2 and step.node != "one", _GIVEN_ON_S, "another has it")
    figure(f"{what} killed: another machine has its step after {time.monotonic() - begun_s:.1f} s")
    held.release(job)
    held.ended(job)


@pytest.mark.parametrize("what", ["agent", "whole node"])
def test_what_a_node_that_hung_has_done_is_refused_and_no_worker_pays(
    cluster: Cluster, held: Held, what: str, figure: Figure
) -> None:
    job, node = held.on("two"), cluster.nodes["two"]
    before, said = loads(cluster), cluster.head.said("coordinator")
    begun_s = time.monotonic()
    cluster.sleep(node.parts("agent") if what == "agent" else node.whole(), _ASLEEP_S)
    # Its worker is done while nobody can be told.
    held.release(job)
    assert held.ended(job)
    took_s = time.monotonic() - begun_s
    assert held.asr(job).attempt == 2
    assert held.asr(job).node != "two"
    cluster.wake_all()
    until(
        lambda: any("too late" in line and job in line for line in new_lines(cluster.head, said)),
        30,
        "the late result is refused",
    )
    figure(f"{what} stopped for {_ASLEEP_S:.0f} s: its job was done elsewhere after {took_s:.1f} s")
    cluster.be_healthy()
    assert loads(cluster) == before, "a worker was killed for the silence of its agent"


def new_lines(machine: Machine, before: str) -> list[str]:
    """Return what its coordinator's log has more."""
    return machine.said("coordinator").removeprefix(before).splitlines()


def parts(cluster: Cluster, part: str) -> list[psutil.Process]:
    """Return the processes that are this part, of all machines."""
    return [process for machine in cluster.machines for process in machine.parts(part)]


@pytest.mark.parametrize("victim", ["agent", "raylet", "gcs", "bridge", "coordinator"])
def test_no_model_is_loaded_again_because_what_carries_its_calls_has_died(
    cluster: Cluster, held: Held, victim: str, figure: Figure
) -> None:
    job = held.on("one")
    before, bridge = loads(cluster), cluster.head.child("cluster")
    dead = parts(cluster, victim)
    assert dead
    begun_s = time.monotonic()
    for process in dead:
        process.send_signal(signal.SIGKILL)
    psutil.wait_procs(dead, timeout=5)
    if victim == "gcs":
        # Whoever asked it cannot ask the next one: there is a new bridge, too.
        until(lambda: cluster.head.child("cluster") not in (None, bridge), 60, "the bridge is another one")
    until(lambda: len(parts(cluster, victim)) == len(dead), 60, f"{victim} is started again")
    cluster.be_healthy()
    took_s = time.monotonic() - begun_s
    held.release(job)
    held.ended(job)
    attempt = held.asr(job).attempt
    figure(f"{victim} killed everywhere: all work again after {took_s:.1f} s, the step ends by {attempt=}")
    assert attempt == 1 or victim != "coordinator"
    assert loads(cluster) == before


@pytest.mark.parametrize("how", ["stopped", "switched off"])
def test_a_head_that_is_started_again_takes_what_its_nodes_have_done_meanwhile(
    cluster: Cluster, held: Held, how: str, figure: Figure
) -> None:
    job = held.on("one")
    workers = {name: node.workers() for name, node in cluster.nodes.items()}
    head = cluster.head
    if how == "stopped":
        head.tell_to_stop()
        assert head.supervisor is not None
        head.supervisor.wait(30)
    else:
        head.kill_whole()
    held.release(job)
    begun_s = time.monotonic()
    head.launch()
    until(lambda: head.health() is not None, 60, "it answers")
    report = held.ended(job)
    figure(f"head {how}: the job of a node ends {time.monotonic() - begun_s:.1f} s after its start")
    assert [(step.name, step.attempt) for step in report.steps if step.name == "asr"] == [("asr", 1)]
    cluster.be_healthy()
    assert {name: node.workers() for name, node in cluster.nodes.items()} == workers


def test_a_node_that_joins_in_the_middle_is_given_steps(cluster: Cluster, figure: Figure) -> None:
    stream = Stream(cluster.head, cluster.films, 12)
    until(lambda: stream.go_on() or len(stream.jobs) >= 12, what="films are on their way")
    begun_s = time.monotonic()
    cluster.add_node("three").launch()
    until(lambda: stream.go_on() or cluster.done_by()["three"] >= 3, 60, "the new node has done steps")
    figure(f"a node joins: it has done steps {time.monotonic() - begun_s:.1f} s after its start")
    stream.complete(cluster)
    for job in stream.jobs:
        assert cluster.head.ended(job).state == "done"


@pytest.fixture
def small_state(running: Cluster) -> Iterator[Path]:
    """Have the state folder of the node `full` be a disk of 16 megabytes."""
    place = running.folder_of("full") / "home" / "state"
    place.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here: that takes root")
    try:
        yield place
    finally:
        if "full" in running.nodes:
            running.nodes["full"].kill_whole()
        subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_node_whose_disk_is_full_says_so_and_is_given_nothing(cluster: Cluster, small_state: Path) -> None:
    cluster.add_node("full").launch()

    def said() -> list[str]:
        health = cluster.head.health()
        nodes = health.nodes if health is not None else ()
        found = [problem for node in nodes if node.name == "full" for problem in node.problems]
        return [f"{problem.sentence} {problem.remedy}" for problem in found]

    (problem,) = until(said, 60, "the node says so")
    assert "left on its disk" in problem
    assert "On full: make room" in problem
    stream = Stream(cluster.head, cluster.head.home, 12)
    until(lambda: stream.go_on() or len(stream.jobs) >= 12, what="films are on their way")
    for job in stream.jobs:
        assert cluster.head.ended(job).state == "done"
    assert not cluster.done_by()["full"]
