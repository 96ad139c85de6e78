"""What health says of nodes and of their workers."""

from __future__ import annotations

import pytest

from coordinator.running.roster import SILENT_AFTER_S
from protocol.clock import is_instant, iso_of_ms, now_ms
from protocol.cluster.health import NodeHealth
from protocol.errors import ErrorInfo, ErrorKind
from protocol.hardware import Hardware
from protocol.messages import Drain, EnvironmentHealth, HealthQuery, HealthReport, State, StatusQuery
from protocol.supervisor import ChildReport, SupervisorReport, write_supervisor
from tests.lone_coordinator import LoneCoordinator, called
from tests.played_node import PlayedNode
from tests.unit.coordinator.nodes.test_relay import finish


def asked(lone: LoneCoordinator) -> HealthReport:
    (report,) = lone.ask(HealthQuery())
    return report


def box(lone: LoneCoordinator) -> NodeHealth:
    (node,) = asked(lone).nodes
    return node


def workers_of(lone: LoneCoordinator, node: str = "box") -> list[EnvironmentHealth]:
    return [row for row in asked(lone).environments if row.node == node]


def told(lone: LoneCoordinator) -> None:
    """Turn until the node has said how it is."""
    lone.until(lambda: lone.coordinator.nodes.present["box"].free_disk_bytes is not None)


def test_without_nodes_health_has_none(lone: LoneCoordinator) -> None:
    report = asked(lone)
    assert report.nodes == ()
    assert {row.node for row in report.environments} == {""}


def test_a_node_is_shown_with_what_it_has_and_what_its_workers_take(lone: LoneCoordinator) -> None:
    node = PlayedNode(lone)
    machine = Hardware(platform="Linux", machine="x86_64", cores=16)
    node.set(hardware=machine, models=("whisper-base",), clock_behind_ms=3_600_000)
    with node:
        worker = node.worker()
        worker.say(State(state="ready", rss_bytes=700, calls_done=3))
        lone.until(lambda: lone.members[f"{worker.name}@box"].rss_bytes)
        told(lone)
        found = box(lone)
    assert (found.name, found.standing, found.cores, found.rss_bytes) == ("box", "present", 8, 700)
    assert (found.hardware, found.models, found.free_disk_bytes) == (machine, ("whisper-base",), 10**12)
    assert found.clock_ahead_ms == pytest.approx(-3_600_000, abs=10_000)
    assert [share.head for share in found.shares] == [str(lone.path)]
    assert (found.problems, is_instant(found.since)) == ((), True)


def test_a_node_s_workers_follow_those_of_the_head_by_what_its_supervisor_calls_them(
    lone: LoneCoordinator,
) -> None:
    lone.worker()
    with PlayedNode(lone) as node:
        worker = node.worker()
        lone.members[f"{worker.name}@box"].started_at = iso_of_ms(now_ms() - 5_000)
        environments = asked(lone).environments
    assert [row.node for row in environments] == sorted(row.node for row in environments)
    (there,) = [row for row in environments if row.node and row.environment == "common"]
    (here,) = [row for row in environments if not row.node and row.environment == "common"]
    assert (there.worker, there.state, there.usable) == ("common", "ready", True)
    assert here.pid is not None
    assert there.uptime_ms == pytest.approx(5_000, abs=4_000)


def test_a_worker_that_has_not_said_hello_shows_what_its_supervisor_says_and_where_to_mend_it(
    lone: LoneCoordinator,
) -> None:
    node = PlayedNode(lone)
    crashed = ChildReport(state="crash-loop", problem="It crashes.", remedy="cpw logs common", restarts=6)
    node.set(children={"common": crashed})
    with node:
        told(lone)
        (row,) = [row for row in workers_of(lone) if row.environment == "common"]
        healthy = asked(lone).healthy
    assert (row.state, row.usable, row.restarts, row.pid) == ("crash-loop", False, 6, None)
    assert (row.problem, row.remedy) == ("It crashes.", "cpw logs box:common")
    assert not healthy


def test_an_environment_of_another_lock_says_so_with_the_command_for_that_node(
    lone: LoneCoordinator,
) -> None:
    node = PlayedNode(lone)
    node.set(locks={"common": "another"})
    with node:
        node.worker()
        (row,) = workers_of(lone)
    assert (row.state, row.usable) == ("ready", False)
    assert "gets no steps" in row.problem
    assert row.remedy == "On box: git pull to the head's commit, then: cpw envs build common"


def test_what_is_not_built_on_a_node_is_not_shown_there(lone: LoneCoordinator) -> None:
    node = PlayedNode(lone)
    node.set(locks={"common": node.facts.locks["common"]}, children={"nllb": ChildReport(state="not built")})
    with node:
        told(lone)
        assert [row.environment for row in workers_of(lone)] == ["common"]


def test_a_node_that_is_lost_says_since_when_and_makes_the_house_unhealthy(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as node:
        node.worker()
        node.cut()
        lone.until(lambda: "box" in lone.coordinator.nodes.lost)
        found = box(lone)
        assert workers_of(lone) == []
    assert (found.standing, is_instant(found.since)) == ("lost", True)
    assert found.problems[0].remedy.startswith("On box: cpw up")
    assert not asked(lone).healthy


def test_what_a_node_says_is_wrong_comes_with_what_to_do(lone: LoneCoordinator) -> None:
    node = PlayedNode(lone)
    node.set(trouble=("The model x cannot be fetched: 404.",))
    with node:
        told(lone)
        (problem,) = box(lone).problems
    assert (problem.sentence, problem.remedy) == ("The model x cannot be fetched: 404.", "cpw logs box")


def test_a_node_that_reaches_no_files_is_a_problem(lone: LoneCoordinator) -> None:
    with PlayedNode(lone, shares={}):
        (problem,) = box(lone).problems
    assert "it gets no steps" in problem.sentence
    assert problem.remedy == "Start the head with its HTTP server, or let box share its folders."


def test_a_node_that_fetches_and_has_a_full_disk_is_a_problem(lone: LoneCoordinator) -> None:
    with PlayedNode(lone):
        found = lone.coordinator.nodes.present["box"]
        lone.until(lambda: found.free_disk_bytes is not None)
        found.fetches, found.free_disk_bytes = True, 100_000_000
        (problem,) = box(lone).problems
    assert problem.sentence.startswith("It has 100 MB left on its disk")
    assert problem.remedy == "On box: make room"


def test_a_node_that_is_refused_is_shown_with_the_reason_until_it_stops_asking(lone: LoneCoordinator) -> None:
    nodes = lone.coordinator.nodes
    node = PlayedNode(lone)
    node.set(code="another")
    node.relay.start()
    node.connect()
    lone.until(lambda: nodes.refused)
    found = box(lone)
    node.__exit__()
    assert (found.standing, "other code" in found.problems[0].sentence) == ("refused", True)
    nodes.refuse("box", ErrorInfo(kind=ErrorKind.WIRE, message="No."), found.since, -SILENT_AFTER_S * 10)
    assert asked(lone).nodes == ()


def test_a_node_that_leaves_on_purpose_drains_and_is_forgotten(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as node:
        worker = node.worker()
        write_supervisor(node.runtime, SupervisorReport(pid=1, started=0.0, state="stopping"))
        lone.until(lambda: worker.heard(Drain))
        assert lone.members[f"{worker.name}@box"].leaving
        node.cut()
        lone.until(lambda: "box" not in lone.coordinator.nodes.present)
    assert asked(lone).nodes == ()


def test_a_step_says_on_which_node_it_is_done_and_was_done(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))

    def node_of_demux() -> tuple[str, str]:
        (report,) = lone.ask(StatusQuery(jobs=(job,)))
        step = next(step for step in report.jobs[0].steps if step.name == "demux")
        return step.state, step.node

    with PlayedNode(lone) as node:
        worker = node.worker()
        identity = called(lone, worker)
        assert node_of_demux() == ("running", "box")
        finish(lone, worker, identity)
        assert node_of_demux() == ("done", "box")
