"""Manifests are written beside the loop: a slow disk holds up whoever asks, and no step."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coordinator.running import manifests
from coordinator.store import job_folder
from protocol.errors import ErrorInfo, ErrorKind
from protocol.messages import Failure, StatusQuery
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """A disk that takes no manifest before the event is set."""
    may_go_on = threading.Event()
    write = job_folder.write_manifest

    def wait_and_write(*manifest: Any) -> None:
        assert may_go_on.wait(20), "the test has not let it go on"
        write(*manifest)

    monkeypatch.setattr(job_folder, "write_manifest", wait_and_write)
    yield may_go_on
    may_go_on.set()


def fail(lone: LoneCoordinator, worker: PlayedWorker) -> str:
    """Let the worker's next job end; return the job."""
    identity = called(lone, worker)
    worker.say(Failure(error=ErrorInfo(kind=ErrorKind.INPUT, message="x"), duration_ms=1), identity)
    lone.until(lambda: lone.step(identity.job).state == "failed")
    return identity.job


def status(lone: LoneCoordinator, job: str) -> str:
    """Return a job's state as its manifest says it."""
    manifest = Path(lone.store.job(job).directory) / "manifest.json"
    return str(json.loads(manifest.read_text())["status"])


def test_who_hears_that_a_job_has_ended_finds_its_manifest_so(
    lone: LoneCoordinator, disk: threading.Event
) -> None:
    lone.add_job()
    job = fail(lone, lone.worker())
    threading.Timer(0.1, disk.set).start()
    (report,) = lone.ask(StatusQuery(jobs=(job,)))
    assert (report.jobs[0].state, status(lone, job)) == ("failed", "failed")


def test_a_disk_that_takes_no_manifest_holds_up_no_step(lone: LoneCoordinator, disk: threading.Event) -> None:
    for _ in range(3):
        lone.add_job()
    worker = lone.worker()
    ended = [fail(lone, worker) for _ in range(3)]
    disk.set()
    lone.coordinator.dispatcher.settle()
    assert [status(lone, job) for job in ended] == ["failed"] * 3


def test_where_too_many_manifests_are_under_way_the_loop_waits_for_the_disk(
    lone: LoneCoordinator, disk: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manifests, "MOST_UNDER_WAY", 0)
    lone.add_job()
    threading.Timer(0.2, disk.set).start()
    job = fail(lone, lone.worker())
    assert disk.is_set()
    assert status(lone, job) == "failed"


def test_a_coordinator_that_ends_leaves_no_manifest_unwritten(
    lone: LoneCoordinator, disk: threading.Event
) -> None:
    lone.add_job()
    job = fail(lone, lone.worker())
    threading.Timer(0.1, disk.set).start()
    lone.restart()
    assert status(lone, job) == "failed"
