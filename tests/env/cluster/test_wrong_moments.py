"""Commands at the wrong moment: ended by Ctrl-C, two at once, and leaving in the middle of a step."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import pytest

from protocol.jobs.status import StepReport
from tests.cluster_house import ClusterHouse, free_port
from tests.data import ROOT
from tests.house import until

pytestmark = [
    pytest.mark.env("common", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(200),
]


class Pair:
    """A head and a node, which have the room of the bridge, too."""

    def __init__(self, head: ClusterHouse, node: ClusterHouse) -> None:
        self.head, self.node = head, node
        self.port = free_port()
        for house in (head, node):
            (house.home / "cluster").symlink_to(ROOT / "cluster")

    @property
    def start(self) -> tuple[str, ...]:
        """The words that make the head."""
        return ("cluster", "start", "--name", "alpha", "--port", str(self.port))

    @property
    def join(self) -> tuple[str, ...]:
        """The words by which the node joins."""
        own = ("--address", "127.0.0.2", "--name", "beta", "--token-file", str(self.head.token))
        return ("cluster", "join", f"127.0.0.1:{self.port}", *own)

    def sees(self, name: str) -> bool:
        """Return whether the head has a machine of the name."""
        done = self.head.cpw("cluster", "status")
        return done.returncode == 0 and name in done.stdout


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return two machines on which nothing runs."""
    folder = tmp_path_factory.mktemp("moments")
    with (
        ClusterHouse(folder / "head") as head,
        ClusterHouse(folder / "node", CPW_SHARES=f"{folder}={folder}") as node,
    ):
        yield Pair(head, node)


def interrupted(process: subprocess.Popen[str]) -> str:
    """Press Ctrl-C, and return what the command said; it ends as such commands do."""
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130, said
    assert "Traceback" not in said
    return said


def test_a_head_whose_start_nobody_waits_for_starts(pair: Pair) -> None:
    starting = pair.head.begin(*pair.start)
    until((pair.head.runtime / "supervisor.json").exists, 60, "the supervisor runs")
    assert interrupted(starting).count("it is still starting") == 1
    until(lambda: pair.sees("alpha"), 60, "it has started")


def test_of_two_joins_at_once_one_is_refused_and_an_interrupted_one_goes_on(pair: Pair) -> None:
    joining = pair.node.begin(*pair.join)
    until((pair.node.runtime / "supervisor.json").exists, 60, "the supervisor runs")
    second = pair.node.cpw(*pair.join)
    assert second.returncode == 2
    assert "Another command changes this machine's part in a cluster" in second.stderr
    assert "goes on; see: cpw cluster status" in interrupted(joining)
    until(lambda: pair.sees("beta"), 60, "it has joined")


def test_a_node_that_leaves_finishes_its_call_and_hands_the_result_over(pair: Pair) -> None:
    go = pair.head.home / "go"
    order = {"asr": {"initial_prompt": f"until:{go}"}}
    jobs = [pair.head.submit(workflow="transcribe", parameters=order) for _ in range(2)]

    def running() -> dict[str, StepReport]:
        steps = [(job, step) for job in jobs for step in pair.head.job(job).steps if step.name == "asr"]
        return {job: step for job, step in steps if step.node == "beta" and step.state == "running"}

    (job,) = until(running, 60, "the node does a step")
    leaving = pair.node.begin("cluster", "leave")
    until(lambda: pair.node.supervisor_state()["state"] == "stopping", 20, "it stops")
    go.touch()
    assert "has left the cluster" in leaving.communicate(timeout=60)[0]
    report = pair.head.ended(job)
    assert report.state == "done"
    (step,) = (step for step in report.steps if step.name == "asr")
    assert (step.node, step.attempt) == ("beta", 1)
