"""The relay between a node's workers and the coordinator: both real, on a connection without Ray."""

from __future__ import annotations

import dataclasses
import os
import time

import pytest

from coordinator.nodes.nodes import NODE_SILENT_AFTER_S
from coordinator.running.roster import SILENT_AFTER_S
from protocol.clock import iso_of_ms, now_ms
from protocol.errors import ErrorInfo, ErrorKind
from protocol.messages import Ack, CallIdentity, Cancel, CancelJobs, Failure, Result, Welcome
from protocol.supervisor import ChildExit, ChildReport
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called, demux_result
from tests.played_node import PlayedNode


def finish(lone: LoneCoordinator, worker: PlayedWorker, identity: CallIdentity) -> None:
    result, audio = demux_result(lone.path / identity.job.replace("-", ""), identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=5), identity)
    lone.until(lambda: lone.step(identity.job).state == "done")


def test_a_node_s_worker_does_a_step_and_the_store_says_which_node_did_it(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        identity = called(lone, worker)
        assert lone.step(job).worker == f"{worker.name}@box"
        finish(lone, worker, identity)
        lone.until(lambda: worker.heard(Ack))
        lone.until(lambda: node.files.forgotten)
        assert (node.files.prepared, node.files.published) == (["demux"], ["demux"])


def test_an_echo_comes_back_through_the_relay(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as node:
        worker = node.worker()
        member = lone.members[f"{worker.name}@box"]
        met_s = member.echoed_s
        lone.until(lambda: worker.pulse.poll(0))
        worker.pulse.send_multipart(worker.pulse.recv_multipart())
        lone.until(lambda: member.echoed_s > met_s)


def test_a_worker_that_dies_on_a_node_costs_its_step_a_life_and_its_supervisor_s_record_is_used(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        called(lone, worker)
        how = ChildExit(signal=9, at=iso_of_ms(now_ms() + 1_000), stack_text="Timeout (0:00:01)!\n")
        node.set(
            dead=frozenset({worker.name}), children={"common": ChildReport(state="restarting", last_exit=how)}
        )
        worker.leave()
        step = lone.until(lambda: (found := lone.step(job)).kills and found)
    assert step.error.kind is ErrorKind.HUNG
    assert "on box" in step.error.message


def test_the_exit_of_a_worker_is_known_though_the_node_s_clock_is_an_hour_wrong(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    monkeypatch.setattr("coordinator.watching.EXIT_RECORDED_WITHIN_S", 3_600.0)
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    behind_ms = 3_600_000
    node = PlayedNode(lone)
    node.set(clock_behind_ms=behind_ms)
    with node:
        worker = node.worker()
        called(lone, worker)
        how = ChildExit(signal=11, at=iso_of_ms(now_ms() - behind_ms + 2_000))
        children = {"common": ChildReport(state="restarting", last_exit=how)}
        node.set(dead=frozenset({worker.name}), children=children)
        worker.leave()
        lone.until(lambda: lone.step(job).kills)


def test_a_node_that_is_cut_off_loses_its_step_to_another_and_its_late_result_is_not_taken(
    lone: LoneCoordinator,
) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        first = called(lone, worker)
        node.cut()
        lone.until(lambda: "box" not in lone.coordinator.nodes.present)
        lone.coordinator.watch.look(time.monotonic() + NODE_SILENT_AFTER_S, draining=False)
        step = lone.step(job)
        assert (step.state, step.kills, step.failures) == ("ready", 0, 0)
        local = lone.worker()
        second = called(lone, local)
        assert second.attempt == first.attempt + 1
        # The zombie has finished meanwhile, and comes back.
        worker.hello = dataclasses.replace(worker.hello, unacknowledged=(first,))
        node.connect()
        lone.until(lambda: "box" in lone.coordinator.nodes.present)
        worker.say(worker.hello)
        lone.until(lambda: worker.heard(Welcome))
        result, audio = demux_result(lone.path / "job1", first)
        worker.say(Result(result=result, artefacts=(audio,), duration_ms=5), first)
        lone.until(lambda: worker.heard(Ack))
        assert lone.step(job).state == "running"
        finish(lone, local, second)


def test_a_silent_node_is_lost_after_ten_seconds_and_asked_to_say_hello_when_it_speaks(
    lone: LoneCoordinator,
) -> None:
    with PlayedNode(lone) as node:
        worker = node.worker()
        lone.coordinator.nodes.present["box"].heard_s -= SILENT_AFTER_S + 1
        lone.coordinator.watch.look(time.monotonic(), draining=False)
        assert lone.members == {}
        assert "box" in lone.coordinator.nodes.lost
        lone.until(lambda: "box" in lone.coordinator.nodes.present)
        worker.say(worker.hello)
        lone.until(lambda: f"{worker.name}@box" in lone.members)


def test_a_coordinator_that_is_started_again_finds_node_and_worker_with_what_it_holds(
    lone: LoneCoordinator,
) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        identity = called(lone, worker)
        lone.restart()
        worker.hello = dataclasses.replace(worker.hello, state="busy", busy_with=identity)
        lone.until(lambda: "box" in lone.coordinator.nodes.present)
        worker.say(worker.hello)
        lone.until(lambda: f"{worker.name}@box" in lone.members)
        assert lone.step(job).state == "running"
        finish(lone, worker, identity)


def test_files_that_cannot_be_fetched_fail_the_attempt_and_the_worker_hears_nothing(
    lone: LoneCoordinator,
) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        node.files.broken = True
        worker = node.worker()
        step = lone.until(lambda: (found := lone.step(job)).failures and found)
        assert step.error.kind is ErrorKind.TRANSIENT
        assert "Call" not in worker.types()


def test_a_call_that_is_cancelled_while_its_files_are_fetched_never_begins(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        node.files.may_go_on.clear()
        worker = node.worker()
        lone.until(lambda: node.files.prepared)
        lone.ask(CancelJobs(jobs=(job,)))
        member = lone.members[f"{worker.name}@box"]
        lone.until(lambda: member.call is None)
        node.files.may_go_on.set()
        assert "Call" not in worker.types()
        assert Cancel.__name__ not in worker.types()


def test_a_step_that_reads_the_film_stays_where_the_film_is(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone, shares={}) as node:
        node.worker()
        local = lone.worker()
        called(lone, local)
        assert lone.step(job).worker == local.name


def test_a_folder_that_is_not_the_same_on_both_is_no_share_and_both_say_so(
    lone: LoneCoordinator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = tmp_path_factory.mktemp("other")
    with PlayedNode(lone, shares={str(lone.path): str(other)}) as node:
        found = lone.coordinator.nodes.present["box"]
        lone.until(lambda: found.problems)
        assert found.shares == ()
        assert "Not the same folder" in found.problems[0]
        assert list(other.iterdir()) == []
        assert node.doors[0][1] == ()


def test_a_node_of_another_lock_gets_no_step(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    node = PlayedNode(lone)
    node.set(locks={**node.facts.locks, "common": "another"})
    with node:
        node.worker()
        local = lone.worker()
        called(lone, local)
        assert lone.step(job).worker == local.name


def test_a_node_with_other_code_is_refused_with_what_mends_it(
    lone: LoneCoordinator, caplog: pytest.LogCaptureFixture
) -> None:
    node = PlayedNode(lone)
    node.set(code="another")
    node.relay.start()
    node.connect()
    lone.until(lambda: "has other code than the head's" in caplog.text)
    node.__exit__()
    assert lone.coordinator.nodes.present == {}


def test_what_is_told_to_the_supervisor_arrives_on_the_node(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as node:
        os.mkfifo(node.runtime / "control", 0o600)
        reader = os.open(node.runtime / "control", os.O_RDWR | os.O_NONBLOCK)
        worker = node.worker()
        member = lone.members[f"{worker.name}@box"]
        member.echoed_s -= SILENT_AFTER_S + 1
        lone.coordinator.watch.look(time.monotonic(), draining=False)

        def line() -> bytes:
            try:
                return os.read(reader, 1_000)
            except BlockingIOError:
                return b""

        assert lone.until(line).startswith(b'{"kill": "common"')
        os.close(reader)


def test_an_outcome_that_cannot_be_sent_yet_is_kept_by_its_worker_and_sent_again(
    lone: LoneCoordinator,
) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        identity = called(lone, worker)
        node.files.unreachable = True
        result, audio = demux_result(lone.path / "job1", identity)
        outcome = Result(result=result, artefacts=(audio,), duration_ms=5)
        worker.say(outcome, identity)
        found = lone.coordinator.nodes.present["box"]
        lone.until(lambda: found.problems)
        assert "cannot be sent to the head" in found.problems[0]
        assert lone.step(job).state == "running"
        node.files.unreachable = False
        worker.say(outcome, identity)
        lone.until(lambda: lone.step(job).state == "done")
        lone.until(lambda: not found.problems)


def test_the_log_of_a_call_that_failed_is_sent_before_its_failure(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        identity = called(lone, worker)
        error = ErrorInfo(kind=ErrorKind.INPUT, message="This film has no sound.")
        worker.say(Failure(error=error, duration_ms=5), identity)
        lone.until(lambda: lone.step(job).state == "failed")
        assert node.files.published == ["log of demux"]


@pytest.mark.parametrize("own_disk", [True, False])
def test_a_nodes_own_full_disk_does_not_hold_the_job_as_the_heads_does(
    lone: LoneCoordinator, own_disk: bool
) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        node.files.own_disk = own_disk
        worker = node.worker()
        identity = called(lone, worker)
        error = ErrorInfo(kind=ErrorKind.DISK_FULL, message="No space is left.")
        worker.say(Failure(error=error, duration_ms=5), identity)
        lone.until(lambda: lone.step(job).failures)
        held = lone.store.job(job).state == "held"
        assert held is not own_disk


def test_a_worker_that_died_just_before_its_node_was_lost_costs_its_step_nothing(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    monkeypatch.setattr("coordinator.watching.EXIT_RECORDED_WITHIN_S", 3_600.0)
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        called(lone, worker)
        node.set(dead=frozenset({worker.name}))
        worker.leave()
        lone.until(lambda: not lone.members)
        assert lone.step(job).state == "running"
        lone.coordinator.nodes.present["box"].heard_s -= NODE_SILENT_AFTER_S
        lone.until(lambda: lone.step(job).state == "ready")
        assert lone.step(job).kills == 0
