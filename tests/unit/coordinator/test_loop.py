"""The coordinator's loop under what it must survive: dead workers, bad messages, races, restarts."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from coordinator.link import Gone
from coordinator.running.roster import SILENT_AFTER_S
from coordinator.store import job_folder
from protocol.artefacts import describe_file
from protocol.errors import CpwError, ErrorInfo, ErrorKind, WorkerExit
from protocol.frames import Header
from protocol.messages import (
    Ack,
    CallIdentity,
    Drain,
    Failure,
    Progress,
    Refused,
    Result,
    StatusQuery,
    StatusReport,
    Submit,
)
from protocol.supervisor import Forgive, Kill
from tests.lone_coordinator import LoneCoordinator, called, demux_result, hold_files_back

_NO_PROCESS = 2**22 + 1
"""Above what Linux ever gives a process."""


def done(lone: LoneCoordinator, job: str, identity: CallIdentity, **more: Any) -> Result:
    """Return a good result of a demux call, its file in place."""
    result, audio = demux_result(lone.path / "job1", identity)
    return Result(result=result | more, artefacts=(audio,), duration_ms=1)


# workers that go


def test_a_worker_that_dies_after_its_result_costs_nothing_and_the_step_is_done_once(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, worker = lone.add_job(), lone.worker(pid=_NO_PROCESS)
    identity = called(lone, worker)
    files_in_place = hold_files_back(monkeypatch)
    worker.say(done(lone, job, identity), identity)
    lone.until(lone.coordinator.dispatcher.is_accepting)
    worker.leave()
    lone.until(lambda: worker.name not in lone.members)
    for _ in range(20):
        lone.coordinator.turn(0)
    files_in_place.set()
    lone.until(lambda: not lone.coordinator.dispatcher.is_accepting())
    for _ in range(5):
        lone.coordinator.turn(0)

    step = lone.step(job)
    assert (step.state, step.attempt, step.kills) == ("done", 1, 0)


def test_a_worker_whose_echo_connection_breaks_is_not_taken_for_dead(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, worker = lone.add_job(), lone.worker(pid=os.getpid())
    identity = called(lone, worker)
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    worker.pulse.close(linger=0)
    for _ in range(100):
        lone.coordinator.turn(10)

    assert lone.step(job).state == "running"
    worker.say(done(lone, job, identity), identity)
    lone.until(lambda: lone.step(job).state == "done")


def test_a_coordinator_that_stood_still_does_not_call_its_workers_silent(lone: LoneCoordinator) -> None:
    worker = lone.worker()
    lone.coordinator.watch.look(time.monotonic() + SILENT_AFTER_S + 5, draining=False)
    assert not lone.members[worker.name].kill_asked


def test_a_worker_that_does_not_become_ready_in_its_time_is_killed(lone: LoneCoordinator) -> None:
    worker = lone.worker()
    member = lone.members[worker.name]
    member.state = "loading"
    lone.coordinator.watch.look(member.ready_by_s - 1, draining=False)
    assert not member.kill_asked
    lone.coordinator.watch.look(member.ready_by_s + 1, draining=False)
    assert member.kill_asked
    (asked,) = lone.supervisor_hears()
    assert isinstance(asked, Kill)
    assert (asked.child, asked.pid) == ("common", member.pid)


def test_a_step_that_waits_for_its_next_try_is_not_begun_before_its_time(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    failure = Failure(error=ErrorInfo(kind=ErrorKind.TRANSIENT, message="busy"), duration_ms=1)
    failed_s = time.monotonic() + 1_000
    dispatcher = lone.coordinator.dispatcher
    dispatcher.on_failure(called(lone, worker), failure, worker.name.encode(), failed_s)
    with lone.store.transaction():
        dispatcher.propagate(lone.store.job(job))
    dispatcher.send_ready(failed_s)
    assert lone.step(job).state == "waiting"
    dispatcher.send_ready(failed_s + 1)
    assert called(lone, worker).attempt == 2


def test_a_worker_that_could_not_be_sent_a_call_is_still_killed_for_its_silence(
    lone: LoneCoordinator,
) -> None:
    worker = lone.worker()
    worker.socket.close(linger=0)

    def has_left() -> bool:
        try:
            lone.coordinator.link.send("w", worker.name.encode(), Header(), Drain())
        except Gone:
            return True
        return False

    lone.until(has_left)
    job = lone.add_job()
    lone.until(lambda: lone.step(job).attempt == 1)
    assert lone.step(job).state == "ready"
    member = lone.members[worker.name]
    assert not member.free()
    assert member in lone.coordinator.roster.newly_silent(member.echoed_s + SILENT_AFTER_S + 1)


def test_a_death_is_described_by_the_exit_that_the_supervisor_records_afterwards(
    lone: LoneCoordinator,
) -> None:
    old, new = lone.path / "old.txt", lone.path / "new.txt"
    old.write_text("Fatal Python error: Segmentation fault\n")
    new.write_text("Timeout (0:00:01)!\n")

    def record(at: str, stack: Path) -> None:
        lone.supervised(common={"state": "restarting", "last_exit": {"at": at, "stack": str(stack)}})

    record("2001-01-01T00:00:00.000Z", old)
    job, worker = lone.add_job(), lone.worker(pid=_NO_PROCESS)
    called(lone, worker)
    worker.leave()
    lone.until(lambda: worker.name not in lone.members)
    record("2999-01-01T00:00:00.000Z", new)
    lone.until(lambda: lone.step(job).kills)

    error = lone.step(job).error
    assert error is None or error.kind is ErrorKind.HUNG


def test_a_death_without_a_supervisor_is_concluded_all_the_same(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker(pid=_NO_PROCESS)
    called(lone, worker)
    worker.leave()
    lone.until(lambda: lone.step(job).kills)


def test_a_process_that_is_only_not_reaped_yet_counts_as_dead(lone: LoneCoordinator) -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    job, worker = lone.add_job(), lone.worker(pid=child.pid)
    called(lone, worker)
    worker.leave()
    lone.until(lambda: lone.step(job).kills)
    child.wait()


# restarts


def test_a_retry_of_a_step_that_was_never_sent_survives_a_restart(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    step = lone.step(job)
    error = ErrorInfo(kind=ErrorKind.BUG, message="Its request could not be made.")
    with lone.store.transaction():
        lone.store.fail(step, "waiting", error, kills=0, failures=1)
    lone.restart()
    assert lone.step(job).state == "ready"


# several workers of one environment


def test_a_worker_that_comes_back_does_not_count_as_its_neighbours_successor(lone: LoneCoordinator) -> None:
    first, second = lone.worker(), lone.worker(number=2)
    jobs = [lone.add_job(), lone.add_job()]
    calls = {worker.name: called(lone, worker) for worker in (first, second)}
    lone.restart()
    lone.coordinator.turn(0)
    first.hello = dataclasses.replace(first.hello, busy_with=calls[first.name], state="busy")
    first.say(first.hello)
    lone.until(lambda: first.name in lone.members)
    assert [lone.step(job).state for job in jobs] == ["running", "running"]
    lone.worker(pid=_NO_PROCESS, number=2)
    lost = calls[second.name].job
    lone.until(lambda: lone.step(lost).state == "ready" or lone.step(lost).attempt == 2)
    assert {lone.step(job).attempt for job in jobs if job != lost} == {1}
    assert {lone.step(job).kills for job in jobs} == {0}


def test_a_death_is_that_of_the_worker_whose_exit_was_recorded(lone: LoneCoordinator) -> None:
    workers = [lone.worker(pid=_NO_PROCESS + number, number=number) for number in (1, 2)]
    jobs = [lone.add_job(), lone.add_job()]
    calls = {worker.name: called(lone, worker) for worker in workers}
    # The first was recycled a moment ago, the second killed.
    at = "2999-01-01T00:00:00.000Z"
    exits = {"common": {"at": at, "code": int(WorkerExit.RECYCLED)}, "common.2": {"at": at, "signal": 9}}
    lone.supervised(**{name: {"state": "restarting", "last_exit": end} for name, end in exits.items()})
    for worker in workers:
        lone.members[worker.name].met_s -= 10
        worker.leave()
    lone.until(lambda: not any(lone.step(job).state == "running" for job in jobs))
    kills = {name: lone.step(identity.job).kills for name, identity in calls.items()}
    assert kills == {workers[0].name: 0, workers[1].name: 1}
    assert [said for said in lone.supervisor_hears() if isinstance(said, Forgive)] == [
        Forgive(child="common.2")
    ]


# what one job or one message must not do


def test_a_parameter_of_the_wrong_type_fails_its_job_alone_and_the_manifest_says_so(
    lone: LoneCoordinator,
) -> None:
    lone.worker()
    bad = lone.add_job(parameters={"demux": {"start_ms": "soon"}})
    good = lone.add_job()
    lone.until(lambda: lone.step(bad).state == "failed" and lone.step(good).state == "running")
    lone.coordinator.dispatcher.settle()
    manifest = json.loads((lone.path / "job1" / "manifest.json").read_text())
    assert manifest["status"] == "failed"


def test_a_call_that_cannot_be_sent_fails_its_job_alone(lone: LoneCoordinator) -> None:
    lone.worker()
    bad = lone.add_job(audio_track="x" * (17 << 20))
    good = lone.add_job()
    lone.until(lambda: lone.step(bad).state == "failed")
    lone.until(lambda: lone.step(good).state == "running")


def test_a_result_that_the_store_cannot_hold_fails_its_step_and_not_the_loop(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    for _ in range(2):
        identity = called(lone, worker)
        worker.say(done(lone, job, identity, track_languages=b"\xff", audio_duration_ms=b"x"), identity)
        lone.until(lambda: worker.heard(Ack))
    assert lone.step(job).state == "failed"


def test_what_a_result_holds_beyond_its_contract_is_left_out(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    worker.say(done(lone, job, identity, more=b"\xff"), identity)
    lone.until(lambda: lone.step(job).state == "done")
    assert "more" not in (lone.step(job).result or {})


@pytest.mark.parametrize("path", ["/etc/passwd", "../../x", "01_demux/../../x", "02_other/x", "01_demux/\0"])
def test_a_hostile_path_in_a_result_fails_its_step(lone: LoneCoordinator, path: str) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    result = done(lone, job, identity)
    artefact = result.artefacts[0].__class__(path=path, size=5, sha256=result.artefacts[0].sha256)
    worker.say(Result(result=result.result, artefacts=(artefact,), duration_ms=1), identity)
    lone.until(lambda: lone.step(job).error)


def test_a_number_that_no_store_holds_is_refused(lone: LoneCoordinator) -> None:
    worker = lone.worker()
    identity = CallIdentity(job="job-1", step="demux", attempt=2**63, run="1")
    worker.say(Failure(error=ErrorInfo(kind=ErrorKind.BUG, message="x"), duration_ms=1), identity)
    refused, answered = lone.ask(StatusQuery(limit=2**63), StatusQuery())
    assert isinstance(refused, Refused)
    assert isinstance(answered, StatusReport)


def test_a_malformed_outcome_fails_the_call_instead_of_keeping_its_worker_busy_for_good(
    lone: LoneCoordinator,
) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    worker.say(Result(result={}, artefacts=(), duration_ms=2**63), identity)
    lone.until(lambda: lone.step(job).failures)
    assert called(lone, worker).attempt == 2


def test_progress_that_is_no_number_is_not_shown(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    worker.say(Progress(fraction=float("nan")), identity)
    worker.say(Progress(fraction=1e300), identity)
    lone.until(lambda: lone.coordinator.dispatcher.progress.get((job, "demux")) == 1.0)


def test_a_failed_attempt_leaves_no_progress_behind(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    worker.say(Progress(fraction=0.7), identity)
    lone.until(lambda: lone.coordinator.dispatcher.progress)
    worker.say(Failure(error=ErrorInfo(kind=ErrorKind.INPUT, message="x"), duration_ms=1), identity)
    lone.until(lambda: lone.step(job).state == "failed")
    assert not lone.coordinator.dispatcher.progress


def test_an_answer_that_is_too_large_is_refused_with_a_sentence(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        lone.add_job()
    monkeypatch.setattr("protocol.frames.MAX_MESSAGE_BYTES", 1_000)
    (refused,) = lone.ask(StatusQuery())
    assert isinstance(refused, Refused)
    assert "over the limit" in refused.error.message


@pytest.mark.parametrize(
    "fields",
    [
        {"out": "/tmp/\0"},
        {"parameters": {"demux": {"start_ms": b"\xff"}}},
    ],
)
def test_a_submission_that_no_one_thought_of_is_refused_and_the_loop_goes_on(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch, fields: dict[str, Any]
) -> None:
    media = lone.path / "film.mkv"
    media.touch()
    monkeypatch.setattr("coordinator.planning.inventory.Inventory.check_built", lambda *_: None)
    monkeypatch.setattr("envspecs.models.registry.has_model", lambda _: True)
    given = {"media": str(media), "workflow": "transcribe", "user": "u", "out": str(lone.path / "out")}
    refused, answered = lone.ask(Submit(**(given | fields)), StatusQuery())
    assert isinstance(refused, Refused)
    assert isinstance(answered, StatusReport)
    assert not list((lone.path / "out").glob("*/*/*/u/*"))


# what is left in the folder


def test_what_a_killed_attempt_left_is_gone_when_the_job_has_ended(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    left = lone.path / "job1" / ".scratch" / "demux-0"
    left.mkdir(parents=True)
    worker.say(Failure(error=ErrorInfo(kind=ErrorKind.INPUT, message="x"), duration_ms=1), identity)
    lone.until(lambda: lone.step(job).state == "failed")
    lone.coordinator.dispatcher.settle()
    assert not left.parent.exists()


def test_a_signal_that_comes_while_the_loop_is_being_woken_does_not_lock_it(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interrupted line may hold the lock of the link: the handler must leave the link alone."""
    with monkeypatch.context() as without_link:
        without_link.setattr(lone.coordinator, "link", None)
        lone.coordinator.drain()
    assert not lone.coordinator.turn(0)


def test_a_folder_that_another_step_is_using_is_no_failure(tmp_path: Path, monkeypatch: Any) -> None:

    scratch = tmp_path / ".scratch" / "demux-1"
    scratch.mkdir(parents=True)
    (scratch / "a").touch()
    artefact = describe_file(scratch / "a", "01_demux/a")
    rmtree = job_folder.shutil.rmtree

    def and_another_takes_the_parent(path: Path, **more: Any) -> None:
        rmtree(path, **more)
        path.parent.rmdir()

    monkeypatch.setattr(job_folder.shutil, "rmtree", and_another_takes_the_parent)
    job_folder.accept(tmp_path, ".scratch/demux-1", "01_demux", (artefact,))
    assert (tmp_path / "01_demux" / "a").exists()


def test_what_a_step_kept_for_its_next_attempt_goes_when_it_is_done(tmp_path: Path) -> None:
    scratch = tmp_path / ".scratch" / "demux-2"
    kept = [tmp_path / ".scratch" / f"{step}.kept" for step in ("demux", "asr")]
    for folder in (scratch, *kept):
        folder.mkdir(parents=True)
    (scratch / "a").touch()
    artefact = describe_file(scratch / "a", "01_demux/a")
    job_folder.accept(tmp_path, ".scratch/demux-2", "01_demux", (artefact,))
    assert [folder.exists() for folder in kept] == [False, True]


def test_a_link_is_not_taken_for_a_file_that_was_made(tmp_path: Path) -> None:

    scratch = tmp_path / ".scratch" / "demux-1"
    scratch.mkdir(parents=True)
    (tmp_path / "elsewhere").write_text("x")
    (scratch / "a").symlink_to(tmp_path / "elsewhere")
    artefact = describe_file(scratch / "a", "01_demux/a")
    with pytest.raises(CpwError, match="link"):
        job_folder.accept(tmp_path, ".scratch/demux-1", "01_demux", (artefact,))


def test_a_user_named_after_a_folder_above_stays_below(tmp_path: Path) -> None:
    _, directory = job_folder.claim_folder(tmp_path, "..", lambda _: 0)
    assert len(directory.relative_to(tmp_path).parts) == 5
    assert ".." not in directory.parts


def test_no_folder_is_left_where_the_disk_is_full(tmp_path: Path, monkeypatch: Any) -> None:
    def full(_: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(job_folder, "sync_directory", full)
    with pytest.raises(OSError, match="No space"):
        job_folder.claim_folder(tmp_path, "u", lambda _: 0)
    assert not list(tmp_path.glob("*/*/*/u/*"))
