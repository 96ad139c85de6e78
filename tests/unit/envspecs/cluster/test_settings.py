"""What this machine is in a cluster, by the file and by the variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from envspecs.cluster.settings import (
    ClusterSettings,
    cluster_directory,
    cluster_settings,
    forget_settings,
    is_loopback,
    join_address,
    parse_address,
    parse_shares,
    write_settings,
)
from protocol.cluster.messages import Share
from protocol.errors import UsageError

NODE = ClusterSettings(role="node", head="10.0.0.1:6390", address="10.0.0.2", name="beta", first_port=20_100)


def test_a_machine_is_alone_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert cluster_settings(tmp_path, {}) == ClusterSettings(role="off")


def test_settings_are_read_as_they_were_written_and_are_forgotten(tmp_path: Path) -> None:
    write_settings(tmp_path, NODE)
    assert cluster_settings(tmp_path, {}) == NODE
    forget_settings(tmp_path)
    assert cluster_settings(tmp_path, {}).role == "off"


def test_folder_and_file_are_their_owners_alone(tmp_path: Path) -> None:
    cluster_directory(tmp_path).mkdir(mode=0o755)
    write_settings(tmp_path, NODE)
    assert cluster_directory(tmp_path).stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in cluster_directory(tmp_path).iterdir()] == [0o600]


def test_the_variable_switches_the_cluster_off(tmp_path: Path) -> None:
    write_settings(tmp_path, NODE)
    assert cluster_settings(tmp_path, {"CPW_CLUSTER": "off"}).role == "off"
    assert cluster_settings(tmp_path, {"CPW_CLUSTER": "node"}) == NODE


@pytest.mark.parametrize("wanted", ["head", "node"])
def test_a_role_that_nobody_prepared_is_refused_with_the_command(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(UsageError) as refused:
        cluster_settings(tmp_path, {"CPW_CLUSTER": wanted})
    assert ("start" if wanted == "head" else "join") in refused.value.remedy


def test_a_word_that_is_no_role_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="CPW_CLUSTER is 'yes'"):
        cluster_settings(tmp_path, {"CPW_CLUSTER": "yes"})


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    write_settings(tmp_path, NODE)
    file = cluster_directory(tmp_path) / "settings.json"
    file.write_text('{"role": "king"}')
    with pytest.raises(UsageError, match=r"settings\.json"):
        cluster_settings(tmp_path, {})


def test_shares_are_pairs_of_paths() -> None:
    assert parse_shares("/mnt/nas=/Volumes/nas, /films/=/f") == (
        Share(head="/mnt/nas", here="/Volumes/nas"),
        Share(head="/films", here="/f"),
    )
    assert parse_shares("") == ()


@pytest.mark.parametrize(
    "text", ["/mnt/nas", "nas=/nas", "/a=b", "/a/../b=/c", "/a=/b,/a/c=/d", "/a=/b,/a=/c"]
)
def test_other_shares_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="CPW_SHARES"):
        parse_shares(text)


def test_the_variable_overrides_the_shares_of_the_file(tmp_path: Path) -> None:
    write_settings(tmp_path, NODE)
    found = cluster_settings(tmp_path, {"CPW_SHARES": "/mnt/nas=/nas"})
    assert found.shares == (Share(head="/mnt/nas", here="/nas"),)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("192.168.1.10", ("192.168.1.10", 6390)),
        ("big-box:7000", ("big-box", 7000)),
        ("[fd00::1]:7000", ("fd00::1", 7000)),
        ("fd00::1", ("fd00::1", 6390)),
    ],
)
def test_addresses_are_read(text: str, meant: tuple[str, int]) -> None:
    assert parse_address(text) == meant
    assert parse_address(join_address(*meant)) == meant


@pytest.mark.parametrize(
    "text", ["", ":7000", "box:", "box:0", "box:70000", "box:http", "http://box/", "a@b"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="address"):
        parse_address(text)


def test_loopback_is_known() -> None:
    assert [is_loopback(host) for host in ("127.0.0.2", "::1", "localhost", "10.0.0.1", "box")] == [
        True, True, True, False, False,
    ]  # fmt: skip
