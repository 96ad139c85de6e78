"""Calls given ahead, commits that several steps share, manifests that keep up."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from coordinator.store.store import Store
from protocol.messages import Ack, CallIdentity, Result
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called, demux_result

_NO_PROCESS = 2**22 + 1


def turns(lone: LoneCoordinator, count: int = 20) -> None:
    """Turn until the files of every result are in place, however busy the disk, and then some more."""
    for _ in range(500):
        lone.coordinator.turn(10)
        if not lone.coordinator.dispatcher.is_accepting():
            break
    for _ in range(count):
        lone.coordinator.turn(0)


def finish(lone: LoneCoordinator, worker: PlayedWorker, identity: CallIdentity, took_ms: int) -> None:
    """Say a good result of a demux call."""
    result, audio = demux_result(lone.path / identity.job.replace("-", ""), identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=took_ms), identity)


def running(lone: LoneCoordinator) -> list[str]:
    return sorted(step.job for step in lone.store.running_steps())


def test_a_worker_with_short_calls_has_one_running_and_one_ahead_and_no_more(lone: LoneCoordinator) -> None:
    for _ in range(5):
        lone.add_job()
    worker = lone.worker()
    first = called(lone, worker)
    turns(lone)
    assert running(lone) == ["job-1"]
    finish(lone, worker, first, took_ms=1)
    second, third = called(lone, worker), called(lone, worker)
    turns(lone)
    assert running(lone) == ["job-2", "job-3"]
    finish(lone, worker, second, took_ms=1)
    assert called(lone, worker).job == "job-4"
    assert lone.members[worker.name].call == third


def test_behind_a_long_call_nothing_waits_in_the_worker(lone: LoneCoordinator) -> None:
    for _ in range(3):
        lone.add_job()
    worker = lone.worker()
    finish(lone, worker, called(lone, worker), took_ms=5_000)
    assert called(lone, worker).job == "job-2"
    turns(lone)
    assert running(lone) == ["job-2"]


def test_a_free_worker_is_served_before_another_one_is_given_a_second_call(lone: LoneCoordinator) -> None:
    for _ in range(3):
        lone.add_job()
    quick = lone.worker(pid=_NO_PROCESS - 1)
    finish(lone, quick, called(lone, quick), took_ms=1)
    called(lone, quick)
    called(lone, quick)
    lone.add_job()
    other = lone.worker()
    assert called(lone, other).job == "job-4"


def test_a_dead_worker_takes_the_blame_for_what_it_ran_and_not_for_what_it_had_ahead(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    monkeypatch.setattr("coordinator.watching.EXIT_RECORDED_WITHIN_S", 0.0)
    for _ in range(3):
        lone.add_job()
    worker = lone.worker(pid=_NO_PROCESS)
    finish(lone, worker, called(lone, worker), took_ms=1)
    ran, ahead = called(lone, worker), called(lone, worker)
    worker.leave()
    lone.until(lambda: not running(lone))
    assert lone.step(ran.job).kills == 1
    assert (lone.step(ahead.job).state, lone.step(ahead.job).kills) == ("ready", 0)


def test_nothing_is_said_before_its_commit(lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    lone.add_job()
    worker = lone.worker()
    identity = called(lone, worker)
    said_inside: list[str] = []
    send_frames = lone.coordinator.link.send_frames

    def watch(side: str, peer: bytes, frames: list[bytes]) -> None:
        if lone.store.in_transaction():
            said_inside.append(frames[2].decode())
        send_frames(side, peer, frames)

    monkeypatch.setattr(lone.coordinator.link, "send_frames", watch)
    lone.add_job()
    finish(lone, worker, identity, took_ms=1)
    assert lone.until(lambda: worker.heard(Ack))
    assert called(lone, worker).job == "job-2"
    assert said_inside == []


def test_a_step_that_is_undone_inside_a_turn_leaves_the_others_of_the_turn(tmp_path: Path) -> None:
    store = Store(tmp_path / "jobs.sqlite")

    def fail() -> None:
        with store.transaction():
            store.set_fact("lost", "yes")
            raise LookupError

    with store.transaction():
        store.set_fact("kept", "yes")
        with pytest.raises(LookupError):
            fail()
        assert store.in_transaction()
    with sqlite3.connect(tmp_path / "jobs.sqlite") as other:
        assert dict(other.execute("SELECT key, value FROM meta")).get("kept") == "yes"
        assert dict(other.execute("SELECT key, value FROM meta")).get("lost") is None
    store.close()


def test_the_manifest_of_an_ended_job_that_a_crash_left_behind_is_renewed(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    with lone.store.transaction():
        lone.store.set_job_state(1, "failed", 5)
    directory = lone.store.job(job).directory
    (directory / "manifest.json").write_text('{"status": "running"}')
    lone.restart()
    assert json.loads((directory / "manifest.json").read_text())["status"] == "failed"


def test_a_job_folder_that_was_removed_does_not_come_back(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    with lone.store.transaction():
        lone.store.set_job_state(1, "done", 5)
    directory = lone.store.job(job).directory
    (directory / "logs").rmdir()
    directory.rmdir()
    lone.restart()
    assert not directory.exists()


def test_a_manifest_follows_a_running_job_within_a_moment(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    called(lone, lone.worker())
    path = lone.store.job(job).directory / "manifest.json"
    lone.until(path.exists)
    assert json.loads(path.read_text())["stages"][0]["status"] == "running"
