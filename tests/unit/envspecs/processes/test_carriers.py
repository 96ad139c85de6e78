"""Which children a cluster adds, and what changes when the settings do."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from envspecs.cluster.settings import ClusterSettings, forget_settings, write_settings
from envspecs.cluster.token import forget_token, make_token
from envspecs.processes.carriers import Carriers, carrier_children
from protocol.errors import MissingError
from protocol.supervisor import control_file

HEAD = ClusterSettings(role="head", head="10.0.0.1:6390", address="10.0.0.1", name="alpha")
NODE = ClusterSettings(role="node", head="10.0.0.1:6390", address="10.0.0.2", name="beta")
COOKIE = {"CPW_COOKIE": "/run/x"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a home that has a bridge, and a token."""
    monkeypatch.setenv("CPW_HOME", str(tmp_path))
    (tmp_path / "cluster").mkdir()
    (tmp_path / "cluster" / "__main__.py").touch()
    make_token(tmp_path / "state")
    return tmp_path


def names(home: Path, settings: ClusterSettings) -> list[str]:
    return [child.name for child in carrier_children(home, home / "run", COOKIE, settings)]


def test_each_part_has_its_children(home: Path) -> None:
    assert names(home, ClusterSettings()) == []
    assert names(home, HEAD) == ["ray", "cluster"]
    assert names(home, NODE) == ["ray"]
    (home / "cluster" / "__main__.py").unlink()
    assert names(home, HEAD) == ["ray"]


def test_they_are_told_where_the_house_is_and_ray_is_ended_by_its_session(home: Path) -> None:
    ray, bridge = carrier_children(home, home / "run", COOKIE, HEAD)
    assert (ray.session, bridge.session) == (True, False)
    for child in (ray, bridge):
        assert child.environment["CPW_RUNTIME"] == str(home / "run")
        assert child.environment["CPW_COOKIE"] == "/run/x"
        assert child.environment["RAY_AUTH_TOKEN_PATH"] == str(home / "state" / "cluster" / "token")
        assert "CPW_STATE" not in child.environment, "it would move the logs"


def test_an_environment_that_is_not_built_is_named(home: Path) -> None:
    (child,) = carrier_children(home, home / "run", COOKIE, NODE)
    assert (child.state, child.remedy) == ("not built", "cpw envs build cluster")


def test_without_a_token_nothing_starts(home: Path) -> None:
    write_settings(home / "state", NODE)
    forget_token(home / "state")
    with pytest.raises(MissingError, match="token"):
        Carriers(home, home / "run", COOKIE)


def test_a_node_hears_commands_from_a_fifo_and_a_head_does_not(home: Path) -> None:
    write_settings(home / "state", NODE)
    assert Carriers(home, home / "run", COOKIE).fifo == control_file(home / "run")
    write_settings(home / "state", HEAD)
    assert Carriers(home, home / "run", COOKIE).fifo is None


def test_a_machine_becomes_a_head_and_ends_to_be_one_when_it_is_told_to_look(home: Path) -> None:
    carriers = Carriers(home, home / "run", COOKIE)
    write_settings(home / "state", HEAD)
    assert carriers.changes({}) == ([], []), "nobody told it"
    carriers.look_again()
    starts, ends = carriers.changes({})
    assert ([child.name for child in starts], ends) == (["ray", "cluster"], [])
    children = {child.name: child for child in starts}
    carriers.look_again()
    assert carriers.changes(children) == ([], [])
    forget_settings(home / "state")
    carriers.look_again()
    starts, ends = carriers.changes(children)
    assert (starts, [child.name for child in ends]) == ([], ["cluster", "ray"])


def test_who_becomes_a_node_is_started_anew_and_not_changed(home: Path) -> None:
    carriers = Carriers(home, home / "run", COOKIE)
    write_settings(home / "state", NODE)
    carriers.look_again()
    assert carriers.changes({}) == ([], [])
    assert not carriers.on_node


def test_wrong_settings_change_nothing_and_are_logged(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_settings(home / "state", HEAD)
    carriers = Carriers(home, home / "run", COOKIE)
    children = {child.name: child for child in carriers.children()}
    (home / "state" / "cluster" / "settings.json").write_text("{")
    carriers.look_again()
    assert carriers.changes(children) == ([], [])
    assert "settings.json" in caplog.text


def test_a_nodes_workers_are_drained_where_an_agent_is_there(home: Path) -> None:
    write_settings(home / "state", NODE)
    (home / "run").mkdir()
    carriers = Carriers(home, home / "run", COOKIE)
    assert carriers.drain_s(10.0) == 0.0
    (home / "run" / "w").touch()
    assert carriers.drain_s(10.0) == 10.0


def test_a_node_that_leaves_gives_its_calls_the_time_that_was_asked_for(home: Path) -> None:
    write_settings(home / "state", NODE)
    (home / "run").mkdir()
    (home / "run" / "w").touch()
    carriers = Carriers(home, home / "run", COOKIE)
    write_settings(home / "state", dataclasses.replace(NODE, leaves_within_s=600.0))
    assert carriers.drain_s(10.0) == 600.0
