"""Addresses, ports and names of this machine."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from clients.cluster import here
from clients.cluster.alone import alone_here
from clients.cluster.probing import check_reachable
from envspecs.cluster.asked import why_on_node
from envspecs.cluster.settings import ClusterSettings, write_settings
from protocol.errors import NotRunningError, UsageError


def test_an_address_of_another_machine_is_refused() -> None:
    here.check_own_address("127.0.0.1")
    with pytest.raises(UsageError, match=r"cannot listen at 192\.0\.2\.200"):
        here.check_own_address("192.0.2.200")


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "localhost", "127.0.0.300", "192.168.1.0/24"])
def test_what_is_no_address_of_one_machine_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match="is not the IP address of a machine"):
        here.check_own_address(address)


def test_a_port_in_use_is_refused_and_its_block_passed_over() -> None:
    first = here.free_block()
    with socket.socket() as server:
        server.bind(("0.0.0.0", first))
        server.listen()
        with pytest.raises(UsageError, match="in use"):
            here.check_own_address("127.0.0.1", first)
        assert here.free_block() != first


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has one loopback address")
def test_a_port_that_another_address_of_this_machine_has_is_refused() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.2", 0))
        server.listen()
        with pytest.raises(UsageError, match="in use"):
            here.check_own_address("127.0.0.1", server.getsockname()[1])


def test_one_command_at_a_time_changes_a_machines_part(tmp_path: Path) -> None:
    with alone_here(tmp_path):
        with pytest.raises(UsageError, match="Another command"), alone_here(tmp_path):
            pass
        assert list((tmp_path / "cluster").iterdir()) == []
    with alone_here(tmp_path):
        assert (tmp_path / "cluster").stat().st_mode & 0o777 == 0o700


def test_the_port_that_is_asked_is_in_no_block() -> None:
    first = here.free_block()
    assert here.free_block(first + 50) != first


def test_a_hosts_name_becomes_a_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Big_Box.Studio.local")
    assert here.own_name("") == "big-box"
    assert here.own_name("beta") == "beta"
    with pytest.raises(UsageError):
        here.own_name("Beta Box")


def test_on_a_node_one_is_sent_to_the_head(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CPW_STATE", str(tmp_path))
    assert why_on_node() is None
    node = ClusterSettings(role="node", head="10.0.0.1:6390", address="10.0.0.2", name="beta")
    write_settings(tmp_path, node)
    sent = why_on_node()
    assert sent is not None
    assert "node beta of the cluster at 10.0.0.1:6390" in sent.message
    assert "head" in sent.remedy


def test_a_variable_that_would_override_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    here.refuse_override()
    monkeypatch.setenv("CPW_CLUSTER", "off")
    with pytest.raises(UsageError, match="CPW_CLUSTER is off"):
        here.refuse_override()


def test_a_head_that_nobody_is_at_is_told_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(NotRunningError, match="No head of a cluster is reached"):
            check_reachable(*nobody.getsockname())
