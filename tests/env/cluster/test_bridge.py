"""Whatever dies between a node's workers and the coordinator: it comes back, as a new session.

Ray, bridge, agent and relay are real; coordinator and worker are played.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from protocol.cluster.bridge import BRIDGE_LOST
from protocol.endpoints import worker_endpoint
from protocol.messages import Ack, CallIdentity
from tests.conftest import Figure
from tests.house import until
from tests.lone_coordinator import PlayedWorker
from tests.ray_cluster import RayCluster

pytestmark = [
    pytest.mark.env("cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
]

BOX = b"node/box"
WORKER = b"echo.1.a@box"


@pytest.fixture
def cluster() -> Iterator[RayCluster]:
    with RayCluster() as cluster:
        cluster.start("box")
        cluster.worker("box")
        says_hello(cluster)
        yield cluster


def says_hello(cluster: RayCluster, after: int = 0) -> None:
    """Wait until the worker says hello to the coordinator, after so many messages."""
    cluster.head.until(
        lambda: any(is_hello(frames) for frames in cluster.head.heard[after:]), "a worker's hello"
    )


def is_hello(frames: list[bytes]) -> bool:
    return len(frames) == 7 and frames[1] == WORKER and frames[4] == b"Hello"


def is_heard(cluster: RayCluster, word: bytes) -> bool:
    return any(word in frame for frames in cluster.head.heard for frame in frames)


def call(number: int) -> list[bytes]:
    """Return frames that the relay passes on unread, and the worker sends back."""
    return [b"CPW", b"1", b"Cores", b"call", str(number).encode()]


def answers(cluster: RayCluster, number: int) -> None:
    """Send a call to the worker, and wait for its answer."""
    cluster.head.send(BOX, WORKER, call(number))
    expected = [BOX, WORKER, *call(number)]
    cluster.head.until(lambda: expected in cluster.head.heard, "the worker's answer")


def comes_back(cluster: RayCluster, after: int, number: int) -> None:
    """Wait until the node and its worker have said hello again, and a call is answered."""
    begun = [BOX, b"", b"NodeHello"]
    cluster.head.until(lambda: begun in cluster.head.heard[after:], "the node says hello again")
    says_hello(cluster, after)
    answers(cluster, number)
    # Of one session nothing comes after the first word of the next.
    last = max(place for place, frames in enumerate(cluster.head.heard) if frames == begun)
    of_before = [frames for frames in cluster.head.heard[last:] if frames[-2:-1] == [b"call"]]
    assert of_before == [[BOX, WORKER, *call(number)]]


def test_a_call_goes_to_a_nodes_worker_and_back(cluster: RayCluster) -> None:
    answers(cluster, 1)
    large = [b"CPW", b"1", b"Cores", b"call", b"x" * 3_000_000]
    cluster.head.send(BOX, WORKER, large)
    cluster.head.until(lambda: [BOX, WORKER, *large] in cluster.head.heard, "three megabytes come back")
    (node,) = cluster.report().nodes.values()
    assert (node.name, node.state, node.session) == ("box", "connected", 1)


def test_a_killed_agent_is_restarted_by_ray(cluster: RayCluster, figure: Figure) -> None:
    answers(cluster, 1)
    before, pid = len(cluster.head.heard), cluster.agent("box").pid
    begun = time.monotonic()
    cluster.agent("box").kill()
    comes_back(cluster, before, 2)
    figure(f"agent killed: a call is answered again after {time.monotonic() - begun:.1f} s")
    assert cluster.agent("box").pid != pid


def test_an_agent_that_hangs_is_let_go_after_ten_seconds(cluster: RayCluster) -> None:
    before, agent = len(cluster.head.heard), cluster.agent("box")
    cluster.head.send(BOX, WORKER, call(1))
    agent.send_signal(signal.SIGSTOP)
    until(lambda: "no answer for 10 s" in cluster.bridge_log(), 20, "the bridge notices")
    agent.send_signal(signal.SIGCONT)
    comes_back(cluster, before, 2)


def test_a_coordinator_that_is_restarted_gets_a_new_session(cluster: RayCluster) -> None:
    answers(cluster, 1)
    before = len(cluster.head.heard)
    cluster.head.close()
    until(lambda: "has closed the connection" in cluster.bridge_log(), 20, "the bridge notices")
    cluster.head.open()
    comes_back(cluster, before, 2)


def test_a_killed_bridge_finds_the_agents_again(cluster: RayCluster) -> None:
    before, pid = len(cluster.head.heard), cluster.agent("box").pid
    assert cluster.bridge is not None
    cluster.bridge.kill()
    cluster.bridge.wait()
    cluster.start_bridge()
    comes_back(cluster, before, 2)
    assert cluster.agent("box").pid == pid


def test_a_bridge_that_is_told_to_stop_ends_within_a_second(cluster: RayCluster) -> None:
    assert cluster.bridge is not None
    begun = time.monotonic()
    cluster.bridge.terminate()
    assert cluster.bridge.wait(20) == 0
    assert time.monotonic() - begun < 1


def test_a_killed_raylet_is_a_node_that_comes_back_under_its_name(
    cluster: RayCluster, figure: Figure
) -> None:
    before = len(cluster.head.heard)
    begun = time.monotonic()
    cluster.signal("box", "raylet/raylet", signal.SIGKILL)
    cluster.end("box")
    cluster.start_node("box")
    comes_back(cluster, before, 2)
    figure(f"raylet killed: a call is answered again after {time.monotonic() - begun:.1f} s")


def test_a_raylet_that_was_stopped_and_goes_on_is_a_zombie_whose_words_are_dropped(
    cluster: RayCluster,
) -> None:
    (old,) = cluster.report().nodes
    talker = PlayedWorker(worker_endpoint(cluster.nodes["box"]), "common", os.getpid())
    talker.say(talker.hello)
    talker.say(Ack(), CallIdentity(job="in time", step="s", attempt=1, run="1"))
    cluster.head.until(lambda: is_heard(cluster, b"in time"), "what is said in time")
    before = len(cluster.head.heard)
    cluster.signal("box", "raylet/raylet", signal.SIGSTOP)
    until(lambda: old not in cluster.report().nodes, 20, "Ray takes the node for dead")
    # The agent lives on, and so does the socket of its relay.
    assert cluster.agent("box").is_running()
    talker.say(Ack(), CallIdentity(job="too late", step="s", attempt=1, run="1"))
    cluster.signal("box", "raylet/raylet", signal.SIGCONT)
    until(lambda: not cluster.processes("box", "raylet/raylet", "ray::"), 20, "the zombie ends")
    talker.leave()
    cluster.end("box")
    cluster.start_node("box")
    comes_back(cluster, before, 2)
    assert not is_heard(cluster, b"too late")


def test_a_bridge_whose_gcs_has_gone_says_so_and_the_next_one_makes_agents_anew(
    cluster: RayCluster, figure: Figure
) -> None:
    before = len(cluster.head.heard)
    begun = time.monotonic()
    assert cluster.bridge is not None
    cluster.end("head")
    code = cluster.bridge.wait(25)
    figure(f"GCS killed: the bridge ends after {time.monotonic() - begun:.1f} s with {code}")
    assert code == BRIDGE_LOST
    cluster.end("box")
    cluster.start_head()
    cluster.start_node("box")
    cluster.start_bridge()
    comes_back(cluster, before, 2)


def test_two_nodes_of_one_name_are_told_apart_and_the_second_is_refused(cluster: RayCluster) -> None:
    cluster.start_node("other", called="box")
    nodes = until(
        lambda: [node for node in cluster.report().nodes.values() if node.state == "refused"],
        30,
        "it is refused",
    )
    assert "two nodes called box" in nodes[0].problem
    assert "two nodes called box" in cluster.bridge_log()
    answers(cluster, 1)
