"""Nobody without the token is let in by Ray at any port; with certificates nobody who has none of them."""

from __future__ import annotations

import http.client
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tests.certificates import make_certificates, tls_variables
from tests.cluster_house import ClusterHouse, free_port, mentions
from tests.conftest import Figure

pytestmark = [
    pytest.mark.env("common", "cluster"),
    pytest.mark.alone,
    pytest.mark.slow,
    pytest.mark.timeout(200),
]

QUICK_S = 10.0
# Ray's client tries for half a minute, whatever it is answered.
IMPATIENT = {"RAY_NUM_REDIS_GET_RETRIES": "2", "RAY_gcs_rpc_server_connect_timeout_s": "3"}
INIT = """
import os, sys, ray
try:
    ray.init(address=sys.argv[1], log_to_driver=False)
except ConnectionError as error:
    print("refused:", error)
else:
    print("let in:", ray.get(ray.remote(lambda: os.getpid()).options(num_cpus=0).remote()))
"""
ASK = """
import sys
from ray._raylet import GcsClient
from ray.exceptions import RayError
try:
    print("let in:", len(GcsClient(address=sys.argv[1]).get_all_node_info(timeout=4)))
except (RayError, RuntimeError, OSError) as error:
    print("refused:", error)
"""


@dataclass
class Head:
    """A head, and how Ray is asked from outside of it."""

    house: ClusterHouse
    address: str

    def ask(self, code: str, **variables: str) -> subprocess.Popen[str]:
        """Start a program with Ray that knows nothing of this house but its address."""
        python = (self.house.home / "venv" / "cluster").resolve() / "bin" / "python"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("RAY_", "CPW_"))}
        return subprocess.Popen(
            [python, "-I", "-c", code, self.address],
            env=clean | IMPATIENT | variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def machines(self) -> str:
        """Return the table of machines."""
        return self.house.told("cluster", "status")


def started(folder: Path, **variables: str) -> Head:
    """Return a head that runs."""
    port = free_port()
    house = ClusterHouse(folder, **variables)
    house.told("cluster", "start", "--name", "alpha", "--port", str(port))
    return Head(house, f"127.0.0.1:{port}")


def answer(process: subprocess.Popen[str], timeout_s: float = 60) -> str:
    """Return what a program printed until it ended or the time was over: Ray's client may try for ever."""
    try:
        return process.communicate(timeout=timeout_s)[0].strip()
    except subprocess.TimeoutExpired:
        process.kill()
        return process.communicate()[0].strip()


def with_token(path: Path) -> dict[str, str]:
    return {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(path)}


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Head]:
    """Return a head without certificates."""
    found = started(tmp_path_factory.mktemp("head"))
    with found.house:
        yield found


def test_a_program_with_ray_is_let_in_by_the_token_alone(head: Head, tmp_path: Path, figure: Figure) -> None:
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("0123456789abcdef" * 4)
    begun = time.monotonic()
    without, other = head.ask(INIT, RAY_AUTH_MODE="disabled"), head.ask(INIT, **with_token(wrong))
    assert answer(without).startswith("refused: ")
    assert answer(other).startswith("refused: ")
    figure(f"ray.init from outside, without a token and with a wrong one: {time.monotonic() - begun:.1f} s")
    assert answer(head.ask(INIT, **with_token(head.house.token))).startswith("let in: ")


def test_a_machine_with_ray_and_a_wrong_token_is_none_of_the_cluster(head: Head, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.touch(mode=0o600)
    wrong.write_text("0123456789abcdef" * 4)
    join = (
        "import sys; from ray.scripts.scripts import main;"
        "sys.argv = ['ray', 'start', '--address', sys.argv[1], '--node-ip-address=127.0.0.2', '--block',"
        f"'--temp-dir={tmp_path.parent / 'r'}', '--disable-usage-stats']; main()"
    )
    process = head.ask(join, **with_token(wrong))
    try:
        answer(process)
        assert process.returncode != 0
    finally:
        for left in mentions(str(tmp_path.parent / "r")):
            left.kill()
    assert "127.0.0.2" not in head.machines()


def listening(house: ClusterHouse) -> dict[tuple[str, int], str]:
    """Return where Ray's processes and the bridge of a house listen, and what each is called."""
    found = {}
    for process in mentions(str(house.runtime), "ray", "cluster"):
        for connection in process.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN:
                address = connection.laddr.ip.replace("::ffff:", "")
                found[address if address not in ("::", "0.0.0.0") else "127.0.0.1", connection.laddr.port] = (
                    process.name()
                )
    return found


def test_no_port_speaks_http_to_somebody_without_token(head: Head, figure: Figure) -> None:
    ports = listening(head.house)
    said = {}
    for (address, port), program in ports.items():
        line = http.client.HTTPConnection(address, port, timeout=3)
        try:
            line.request("GET", "/")
            said[program, port] = str(line.getresponse().status)
        except (OSError, http.client.HTTPException):
            said[program, port] = "no HTTP"
        finally:
            line.close()
    told = ", ".join(f"{program}: {text}" for (program, _), text in said.items())
    figure(f"asked by HTTP without a token: {told}")
    assert {"gcs_server", "raylet"} <= set(ports.values())
    assert set(said.values()) <= {"no HTTP", "401"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return folders with an authority and a machine's certificate by it: `ours`, and somebody `other`s."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not here")
    folders = {name: tmp_path_factory.mktemp(name) for name in ("ours", "other")}
    own = {info.address for found in psutil.net_if_addrs().values() for info in found if info.family == 2}
    for folder in folders.values():
        make_certificates(folder, *sorted(own | {"127.0.0.2"}))
    return folders


def test_with_certificates_machines_of_the_same_authority_work_together_and_no_others(
    tmp_path: Path, certificates: dict[str, Path], figure: Figure
) -> None:
    ours, other = tls_variables(certificates["ours"]), tls_variables(certificates["other"])
    begun = time.monotonic()
    head = started(tmp_path / "head", **ours)
    with head.house, ClusterHouse(tmp_path / "node", **ours) as node:
        figure(f"a head with certificates has started after {time.monotonic() - begun:.1f} s")
        words = ("cluster", "join", head.address, "--address", "127.0.0.2", "--name", "beta")
        words += ("--token-file", str(head.house.token))
        begun = time.monotonic()
        refused = node.cpw(*words, RAY_USE_TLS="0")
        figure(f"a node without TLS is refused after {time.monotonic() - begun:.1f} s")
        assert refused.returncode == 4
        assert "does not answer as the head of a cluster: no answer within 7 s" in refused.stderr
        assert "is a node of the cluster" in node.told(*words)
        assert "beta" in head.machines()
        token = with_token(head.house.token)
        authority = ours["RAY_TLS_CA_CERT"]
        strangers = {
            "without TLS": head.ask(ASK, **token),
            "with certificates of another authority": head.ask(ASK, **token, **other),
            "without a certificate": head.ask(ASK, **token, RAY_USE_TLS="1", RAY_TLS_CA_CERT=authority),
        }
        assert answer(head.ask(ASK, **token, **ours)) == "let in: 2"
        for who, process in strangers.items():
            assert not answer(process, QUICK_S).startswith("let in"), who
