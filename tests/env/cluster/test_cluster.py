"""Two machines on one, by real Ray: start, join, what is refused, leave, stop, and what a kill leaves."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from clients.cluster.checking import check_head
from clients.cluster.probing import Probe
from envspecs.cluster.settings import ClusterSettings
from protocol.clock import now_ms
from protocol.errors import NotRunningError, UsageError
from protocol.supervisor import Forgive, control_file, render_command
from tests.cluster_house import ClusterHouse, free_port, mentions
from tests.conftest import Figure
from tests.house import until

pytestmark = [
    pytest.mark.env("common", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(200),
]

QUICK_S = 10.0
RAYS = ("gcs_server", "raylet", "ray.scripts", "ray::", "/ray/")


class Pair:
    """A head and a node."""

    def __init__(self, head: ClusterHouse, node: ClusterHouse, port: int) -> None:
        self.head, self.node = head, node
        self.address = f"127.0.0.1:{port}"

    def nodes(self, house: ClusterHouse | None = None) -> dict[str, bool]:
        """Return the machines by name, and whether they are alive, as one of them says."""
        found = json.loads((house or self.head).told("cluster", "status", "--json"))
        return {node["name"]: node["alive"] for node in found["nodes"]}

    def are_both_there(self, since_ms: int) -> bool:
        """Return whether the head answers and has the node, which joined after that instant."""
        done = self.head.cpw("cluster", "status", "--json")
        nodes = json.loads(done.stdout)["nodes"] if done.returncode == 0 else ()
        alive = {node["name"]: node["since_ms"] for node in nodes if node["alive"]}
        return alive.keys() == {"alpha", "beta"} and alive["beta"] > since_ms

    def join(self, house: ClusterHouse, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Have the house join."""
        return house.cpw("cluster", "join", self.address, *words, stdin=stdin)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Return a head at 127.0.0.1 and a node at 127.0.0.2."""
    port = free_port()
    folder = tmp_path_factory.mktemp("cluster")
    with ClusterHouse(folder / "head") as head, ClusterHouse(folder / "node") as node:
        found = Pair(head, node, port)
        head.told("cluster", "start", "--name", "alpha", "--port", str(port))
        joined = found.join(node, "--address", "127.0.0.2", "--name", "beta", "--token-file", str(head.token))
        assert joined.returncode == 0, joined.stderr
        yield found


def rays(house: ClusterHouse, *programs: str) -> list[psutil.Process]:
    """Return the living processes of Ray that belong to the house, all or those of these programs."""
    return mentions(str(house.runtime), *(programs or RAYS))


def refused(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Check that a command was refused with a sentence."""
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr


def test_both_machines_are_seen_from_both(pair: Pair) -> None:
    assert pair.nodes(pair.head) == {"alpha": True, "beta": True}
    assert pair.nodes(pair.node) == {"alpha": True, "beta": True}


def test_a_node_has_workers_and_ray_and_no_coordinator(pair: Pair) -> None:
    assert {"ray", "common", "whisperx"} == set(pair.node.supervisor_state()["children"])
    assert {"ray", "coordinator"} <= set(pair.head.supervisor_state()["children"])


def test_on_a_node_one_is_sent_to_the_head(pair: Pair) -> None:
    film = pair.node.home / "film.mkv"
    film.write_bytes(b"film")
    for words in (("health",), ("status",), ("submit", str(film), "-w", "transcribe")):
        refused(pair.node.cpw(*words), 4, f"node beta of the cluster at {pair.address}", "on the head")
    assert f"node of the cluster at {pair.address}" in pair.node.told("up")


def test_a_member_neither_joins_nor_starts_again(pair: Pair) -> None:
    refused(pair.join(pair.node, "--token-file", str(pair.head.token)), 2, "is the node", "cpw cluster leave")
    refused(pair.node.cpw("cluster", "start"), 2, "is the node")
    refused(pair.head.cpw("cluster", "leave"), 2, "cpw cluster stop")


def test_starting_again_changes_nothing_and_says_what_is_open(pair: Pair) -> None:
    before = pair.head.child("ray")
    said = pair.head.told("cluster", "start", "--port", pair.address.rpartition(":")[2])
    assert pair.head.child("ray") == before
    assert "listens on all interfaces" in said
    assert "docs/cluster.md" in said
    assert pair.head.token.read_text() not in said


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClusterHouse]:
    """Return a machine that belongs to no cluster."""
    with ClusterHouse(tmp_path_factory.mktemp("stranger")) as house:
        yield house


def test_without_token_with_a_wrong_one_and_with_an_open_one_nobody_joins(
    pair: Pair, stranger: ClusterHouse, figure: Figure
) -> None:
    begun = time.monotonic()
    refused(pair.join(stranger, "--name", "gamma"), 2, "stdin holds no token")
    none_s, begun = time.monotonic() - begun, time.monotonic()
    refused(
        pair.join(stranger, "--name", "gamma", stdin="0123456789abcdef" * 4), 2, "does not take this token"
    )
    wrong_s = time.monotonic() - begun
    opened = stranger.home / "token"
    opened.write_bytes(pair.head.token.read_bytes())
    opened.chmod(0o644)
    refused(pair.join(stranger, "--token-file", str(opened)), 2, "can be read by others", "chmod 600")
    figure(f"cpw cluster join refused: no token {none_s:.1f} s, a wrong one {wrong_s:.1f} s")
    assert max(none_s, wrong_s) < QUICK_S
    assert not list((stranger.state / "cluster").glob("*")), "nothing is kept of what was refused"
    assert pair.nodes() == {"alpha": True, "beta": True}


def test_a_head_that_is_not_there_or_is_no_head_is_told_within_seconds(
    pair: Pair, stranger: ClusterHouse
) -> None:
    for address in (f"127.0.0.1:{free_port()}", "192.0.2.200:6390"):
        begun = time.monotonic()
        done = stranger.cpw("cluster", "join", address, "--token-file", str(pair.head.token))
        refused(done, 4, "No head of a cluster is reached")
        assert time.monotonic() - begun < QUICK_S


def test_somebody_else_at_the_address_is_no_head(pair: Pair, stranger: ClusterHouse) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        begun = time.monotonic()
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        done = stranger.cpw("cluster", "join", address, "--token-file", str(pair.head.token))
        refused(done, 4, "does not answer as the head of a cluster")
        assert time.monotonic() - begun < QUICK_S


def test_a_name_is_given_once(pair: Pair, stranger: ClusterHouse) -> None:
    done = pair.join(stranger, "--name", "beta", "--token-file", str(pair.head.token))
    refused(done, 2, "a machine called beta already", "--name")


@pytest.mark.skipif(os.getuid() != 0, reason="only root can run as another user")
def test_a_second_user_neither_reads_the_token_nor_asks_without_it(pair: Pair) -> None:
    # The interpreter may lie where that user has no way to: root starts it, and it becomes the other.
    code = (
        "import os, sys; import ray._raylet, ray.exceptions; from cluster.ray.probe import main;"
        "os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "try: open(sys.argv[2])\n"
        "except PermissionError: print('no way', file=sys.stderr)\n"
        "main(sys.argv[1:])"
    )
    python = (pair.head.home / "venv" / "cluster").resolve() / "bin" / "python"
    begun = time.monotonic()
    asked = subprocess.run(
        [python, "-I", "-c", code, pair.address, pair.head.token], capture_output=True, text=True, check=True,
        timeout=60, env={"PATH": os.environ["PATH"], "RAY_AUTH_MODE": "disabled"},
    )  # fmt: skip
    assert "no way" in asked.stderr
    assert json.loads(asked.stdout)["problem"] == "refused"
    assert time.monotonic() - begun < QUICK_S


def test_the_dashboard_is_off_and_the_token_on_no_command_line(pair: Pair) -> None:
    for house in (pair.head, pair.node):
        token = house.token.read_text()
        assert house.token.stat().st_mode & 0o777 == 0o600
        found = rays(house)
        assert found
        assert not [one for one in found if token in " ".join(one.cmdline())]
        assert token not in (house.home / "logs" / "ray.log").read_text()
    listening = {
        connection.laddr.port
        for process in mentions(str(pair.head.runtime))
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }
    port = int(pair.address.rpartition(":")[2])
    assert port in listening
    assert listening <= {port, *range(20_000, 30_000)}
    assert 8265 not in listening


def test_a_command_in_the_fifo_is_heard(pair: Pair) -> None:
    descriptor = os.open(control_file(pair.node.runtime), os.O_WRONLY | os.O_NONBLOCK)
    os.write(descriptor, b"{no command}\n" + render_command(Forgive(child="common")))
    os.close(descriptor)
    log = pair.node.home / "logs" / "supervisor.log"
    until(lambda: "a command is refused" in log.read_text(), 10, "the wrong line is refused")


# A raylet's brothers are no orphans: Ray's own parent of both sees its end, and ends them at its leisure.
@pytest.mark.parametrize(("victim", "within_s"), [("ray start", 5), ("raylet", 20)])
def test_a_killed_part_of_ray_leaves_nothing_and_comes_back(
    pair: Pair, victim: str, within_s: float, figure: Figure
) -> None:
    before = {process.pid for process in rays(pair.node)}
    workers = {name: pair.node.child(name) for name in ("common", "whisperx")}
    word = "ray.scripts" if victim == "ray start" else "raylet/raylet --"
    killed = rays(pair.node, word)
    begun, begun_ms = time.monotonic(), now_ms()
    for process in killed:
        process.kill()
    assert killed
    until(lambda: not [x for x in rays(pair.node) if x.pid in before], within_s, f"all of it gone: {victim}")
    gone_s = time.monotonic() - begun
    until(lambda: pair.are_both_there(begun_ms), 90, "it is back")
    back_s = time.monotonic() - begun
    figure(f"{victim} killed: its processes gone after {gone_s:.1f} s, the node back after {back_s:.1f} s")
    assert workers == {name: pair.node.child(name) for name in workers}, "no worker has ended"


@pytest.mark.parametrize("how", ["killed", "stopped"])
def test_a_head_that_comes_back_has_its_nodes_again(pair: Pair, how: str, figure: Figure) -> None:
    workers = {name: pair.node.child(name) for name in ("common", "whisperx")}
    before, begun_ms = {process.pid for process in rays(pair.head)}, now_ms()
    if how == "killed":
        rays(pair.head, "gcs/gcs_server")[0].kill()
        until(lambda: not [found for found in rays(pair.head) if found.pid in before], 10, "Ray has ended")
    else:
        pair.head.told("cluster", "stop")
        assert rays(pair.head) == []
        pair.head.told("cluster", "start", "--name", "alpha", "--port", pair.address.rpartition(":")[2])
    begun = time.monotonic()
    until(lambda: pair.are_both_there(begun_ms), 110, "both are there again")
    figure(f"the head's Ray {how}: its node back after {time.monotonic() - begun:.1f} s")
    assert workers == {name: pair.node.child(name) for name in workers}, "no worker has ended"


def test_the_supervisor_killed_leaves_nothing(pair: Pair, figure: Figure) -> None:
    begun = time.monotonic()
    os.kill(pair.node.supervisor_state()["pid"], signal.SIGKILL)
    until(lambda: not mentions(str(pair.node.runtime)), 5, "every process of the node has ended")
    figure(f"a node's supervisor killed: every process gone after {time.monotonic() - begun:.1f} s")
    assert f"node of the cluster at {pair.address}" in pair.node.told("up")


def test_a_fake_head_of_other_versions_is_refused(pair: Pair, tmp_path: Path) -> None:
    """The real program asks a real head; only the versions that it finds are played."""
    told = (
        "import sys; from ray._raylet import GcsClient; GcsClient(address=sys.argv[1]).internal_kv_put("
        "b'CLUSTER_METADATA', sys.argv[2].encode(), overwrite=True, namespace=b'cluster')"
    )
    python = (pair.head.home / "venv" / "cluster").resolve() / "bin" / "python"
    variables = {**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(pair.head.token)}

    def play(ray: str, version: str) -> None:
        words = json.dumps({"ray_version": ray, "python_version": version})
        subprocess.run([python, "-I", "-c", told, pair.address, words], env=variables, check=True, timeout=60)

    def asks() -> None:
        settings = ClusterSettings(role="node", head=pair.address, name="gamma")
        check_head(pair.head.home, settings, pair.head.token.read_text())

    real = Probe(pair.head.home, pair.address, pair.head.token).answer()
    try:
        play("2.59.0", real.head_python)
        with pytest.raises(UsageError, match=r"has Ray 2\.59\.0"):
            asks()
        play(real.head_ray, "3.9.1")
        with pytest.raises(UsageError, match=r"with Python 3\.9"):
            asks()
    finally:
        play(real.head_ray, real.head_python)


def test_a_node_leaves_and_a_cluster_ends_without_costing_the_head_a_worker(pair: Pair) -> None:
    begun = time.monotonic()
    assert "has left the cluster" in pair.node.told("cluster", "leave")
    assert mentions(str(pair.node.runtime)) == []
    assert not pair.node.token.exists()
    until(lambda: pair.nodes() == {"alpha": True, "beta": False}, 30, "the head sees it gone")
    assert time.monotonic() - begun < 40
    refused(pair.node.cpw("cluster", "status"), 4, "belongs to no cluster")

    workers = {name: pair.head.child(name) for name in ("coordinator", "common", "whisperx")}
    assert "the cluster has ended" in pair.head.told("cluster", "stop")
    assert rays(pair.head) == []
    assert workers == {name: pair.head.child(name) for name in workers}
    assert pair.head.told("health").startswith("healthy")
    assert pair.head.token.exists(), "the nodes of before come back with it"


def test_a_cluster_that_has_gone_is_told_on_its_node(pair: Pair) -> None:
    with pytest.raises(NotRunningError):
        check_head(pair.head.home, ClusterSettings(role="node", head=pair.address, name="x"), "x" * 32)
