"""Whether a worker can be expected."""

from __future__ import annotations

from pathlib import Path

import pytest

import envspecs
from coordinator.health import check_worker, environments_health, why_not_usable
from coordinator.running.roster import Roster
from protocol.clock import now_iso
from protocol.errors import NotRunningError
from protocol.messages import EnvironmentHealth, Hello
from protocol.supervisor import ChildReport, SupervisorReport, write_supervisor


def supervised(runtime: Path, **children: ChildReport) -> None:
    """Write what a supervisor says of these children and of another one that runs."""
    another = ChildReport(state="running")
    report = SupervisorReport(pid=1, started=0.0, children={"another": another, **children})
    write_supervisor(runtime, report)


@pytest.mark.parametrize("children", [{"x": ChildReport(state="not built")}, {}])
def test_an_environment_that_the_supervisor_does_not_start_is_refused(
    tmp_path: Path, children: dict[str, ChildReport]
) -> None:
    supervised(tmp_path, **children)
    with pytest.raises(NotRunningError, match="built after the start") as refused:
        check_worker("x", tmp_path, Roster())
    assert refused.value.remedy == "cpw envs reload x"


def member(environment: str) -> Roster:
    """Return a roster with one worker that is ready."""
    roster = Roster()
    hello = Hello(worker="w", environment=environment, pid=1, pulse="w/pulse", state="ready")
    roster.admit(hello, 0.0, now_iso(), 300.0)
    return roster


def common(runtime: Path, roster: Roster, **child: ChildReport) -> EnvironmentHealth:
    """Return the health of `common`, of which the supervisor says this."""
    supervised(runtime, **child)
    (found,) = environments_health([envspecs.read("common")], runtime, roster, 0.0)
    return found


def test_a_worker_of_an_earlier_build_serves_and_says_so(tmp_path: Path) -> None:
    seen = common(tmp_path, member("common"), common=ChildReport(state="running", build="common-old"))
    assert seen.usable
    assert seen.problem == "Its worker runs in an earlier build, common-old."
    assert seen.remedy == "cpw envs reload common"


@pytest.mark.parametrize(
    "child", [ChildReport(state="replacing", build="common-old"), ChildReport(state="running")]
)
def test_one_that_is_being_replaced_or_of_whose_build_nothing_is_known_is_no_problem(
    tmp_path: Path, child: ChildReport
) -> None:
    assert common(tmp_path, member("common"), common=child).problem == ""


def test_what_was_built_after_the_start_is_started_by_a_command(tmp_path: Path) -> None:
    for children in ({}, {"common": ChildReport(state="not built")}):
        seen = common(tmp_path, Roster(), **children)
        assert (seen.state, seen.remedy) == ("stopped", "cpw envs reload common")


def test_between_two_workers_an_environment_is_starting(tmp_path: Path) -> None:
    assert common(tmp_path, Roster(), common=ChildReport(state="replacing")).state == "starting"


def test_what_waits_for_a_removed_environment_says_so(tmp_path: Path) -> None:
    said = why_not_usable(tmp_path, Roster(), ["common", "a-copy"])
    assert list(said) == ["a-copy"]
    assert said["a-copy"].startswith("removed: ")


TWO = {"common": ChildReport(state="running"), "common.2": ChildReport(state="restarting", restarts=3)}


def test_each_worker_is_shown_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPW_MEMORY_COMMON", "ram_mb=1000")
    supervised(tmp_path, **TWO)
    first, second = environments_health([envspecs.read("common")], tmp_path, member("common"), 0.0)
    assert (first.worker, first.state, first.restarts) == ("common", "ready", 0)
    assert (second.worker, second.state, second.restarts) == ("common.2", "restarting", 3)
    assert {row.environment for row in (first, second)} == {"common"}
    assert first.ram_budget_bytes == 500_000_000


def test_an_environment_waits_for_the_worker_that_may_come(tmp_path: Path) -> None:
    lost = ChildReport(state="crash-loop", problem="It died.", remedy="cpw logs x")
    supervised(tmp_path, **{"x": lost, "x.2": ChildReport(state="restarting")})
    check_worker("x", tmp_path, Roster())
    assert why_not_usable(tmp_path, Roster()) == {"x": "restarting: cpw logs x"}
    supervised(tmp_path, **{"x": lost, "x.2": lost})
    with pytest.raises(NotRunningError, match="It died"):
        check_worker("x", tmp_path, Roster())
    supervised(tmp_path, **{"x": lost, "x.2": ChildReport(state="running")})
    check_worker("x", tmp_path, Roster())
    assert why_not_usable(tmp_path, Roster()) == {}
