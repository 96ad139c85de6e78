"""How Ray is started: ports apart, no dashboard, a token, short paths."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from envspecs.cluster.ray import (
    PORTS,
    clear_ray_directory,
    close_ray_directory,
    listens_here,
    ray_command,
    ray_directory,
    ray_environment,
)
from envspecs.cluster.settings import ClusterSettings
from protocol.errors import UsageError

HEAD = ClusterSettings(role="head", head="10.0.0.1:6390", address="10.0.0.1", name="alpha")
NODE = ClusterSettings(role="node", head="10.0.0.1:6390", address="10.0.0.2", name="beta", first_port=20_100)


def options(settings: ClusterSettings) -> dict[str, str]:
    command = ray_command(Path("/v/bin/python"), settings, Path("/run/x/ray"))
    return {name: value for name, _, value in (word.partition("=") for word in command)}


def test_the_head_has_no_dashboard_and_tells_nobody_of_its_use() -> None:
    found = options(HEAD)
    assert "--head" in found
    assert found["--include-dashboard"] == "false"
    assert found["--port"] == "6390"
    assert "--disable-usage-stats" in found


def test_a_node_names_its_head_and_no_option_of_a_heads() -> None:
    found = options(NODE)
    assert found["--address"] == "10.0.0.1:6390"
    assert found["--node-ip-address"] == "10.0.0.2"
    assert not {"--head", "--port", "--include-dashboard"} & found.keys()


@pytest.mark.parametrize("settings", [HEAD, NODE])
def test_all_ports_lie_in_the_machines_own_block(settings: ClusterSettings) -> None:
    ports = {
        name: int(value) for name, value in options(settings).items() if "port" in name and name != "--port"
    }
    block = range(settings.first_port, settings.first_port + PORTS)
    assert set(ports.values()) <= set(block)
    assert len(set(ports.values())) == len(ports)
    assert ports["--min-worker-port"] < ports["--max-worker-port"]


def test_ray_places_nothing_by_cores_and_holds_little_memory() -> None:
    found = options(NODE)
    assert (found["--num-cpus"], found["--num-gpus"]) == ("0", "0")
    assert int(found["--object-store-memory"]) < 100 * 1024 * 1024


def test_a_token_is_always_asked_for_and_named_by_its_file() -> None:
    for settings in (HEAD, NODE):
        found = ray_environment({"CPW_COOKIE": "/run/x"}, settings, Path("/s/cluster/token"))
        assert found["RAY_AUTH_MODE"] == "token"
        assert found["RAY_AUTH_TOKEN_PATH"] == "/s/cluster/token"
        assert found["CPW_COOKIE"] == "/run/x"
        assert found["SPT_NOENV"] == "1"


def test_the_head_looks_after_its_nodes_more_often_than_ray_does() -> None:
    head = ray_environment({}, HEAD, Path("/t"))
    period, timeout, failures = (
        int(head[f"RAY_health_check_{name}"]) for name in ("period_ms", "timeout_ms", "failure_threshold")
    )
    assert failures * (period + timeout) <= 20_000
    assert not any(name.startswith("RAY_health") for name in ray_environment({}, NODE, Path("/t")))


def test_a_socket_in_the_folder_has_a_short_path() -> None:
    longest = "session_2026-11-27_23-28-42_153322_1234567/sockets/plasma_store"
    for runtime in (
        Path("/run/user/1000/cpw-1000-abcdef12"),
        Path("/var/folders/q9/" + "x" * 60 + "/T/cpw-501-a"),
    ):
        assert len(os.fsencode(ray_directory(runtime) / longest)) <= 103
    assert ray_directory(Path("/run/user/1000/cpw-1000-abcdef12")) == Path(
        "/run/user/1000/cpw-1000-abcdef12/ray"
    )


@pytest.fixture
def far() -> Iterator[Path]:
    """Return a runtime directory whose path is too long for Ray's sockets."""
    with tempfile.TemporaryDirectory() as folder:
        runtime = Path(folder) / ("x" * 40)
        runtime.mkdir(mode=0o700)
        around = ray_directory(runtime).parent
        yield runtime
        for path in (around / "r", around):
            if path.is_dir():
                path.rmdir()


def test_a_folder_elsewhere_is_closed_and_refused_where_it_is_open(far: Path) -> None:
    close_ray_directory(far)
    around = ray_directory(far).parent
    assert around.stat().st_mode & 0o777 == 0o700
    around.chmod(0o755)
    with pytest.raises(UsageError, match="open to others"):
        close_ray_directory(far)


def test_what_an_earlier_start_left_is_removed(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as short:
        runtime = Path(short)
        clear_ray_directory(runtime)
        folder = ray_directory(runtime)
        (folder / "session_1" / "logs").mkdir(parents=True)
        (folder / "session_latest").symlink_to(tmp_path)
        (tmp_path / "stays").touch()
        clear_ray_directory(runtime)
        assert list(folder.iterdir()) == []
        assert (tmp_path / "stays").exists()


def test_whether_ray_listens_is_seen_by_a_connection() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        here = ClusterSettings(role="node", address="127.0.0.1", first_port=server.getsockname()[1])
        assert not listens_here(here)
        server.listen()
        assert listens_here(here)
