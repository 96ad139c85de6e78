"""Cancel, resume, retry, hold, prune: through the real loop, against a worker in the test's hands."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from protocol.errors import ErrorInfo, ErrorKind, SchemaError
from protocol.job_changes import CancelJobs, Changed, Pruned, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import (
    Ack,
    Call,
    CallIdentity,
    Cancel,
    Failure,
    Refused,
    Result,
    StatusQuery,
    Submit,
    Submitted,
    Unload,
)
from protocol.schema import from_plain
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called, demux_result, hold_files_back

INPUT = ErrorInfo(kind=ErrorKind.INPUT, message="It is no film.")
FULL = ErrorInfo(kind=ErrorKind.DISK_FULL, message="No space is left on the disk.")
ENDED = ("done", "failed", "cancelled")
MEMORY = ErrorInfo(kind=ErrorKind.RESOURCE, message="Memory ran out.")


def fail(lone: LoneCoordinator, worker: PlayedWorker, identity: CallIdentity, error: ErrorInfo) -> None:
    worker.say(Failure(error=error, duration_ms=1), identity)
    lone.until(lambda: worker.heard(Ack))


def finish_demux(lone: LoneCoordinator, worker: PlayedWorker, identity: CallIdentity) -> None:
    result, audio = demux_result(lone.path / identity.job.replace("-", ""), identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=1), identity)
    lone.until(lambda: worker.heard(Ack))


def state(lone: LoneCoordinator, job: str) -> str:
    found = lone.store.job(job)
    assert found is not None
    return found.state


def states(lone: LoneCoordinator, job: str) -> set[str]:
    return {step.state for step in lone.store.steps(job)}


def ask(lone: LoneCoordinator, message: Any) -> Any:
    (answer,) = lone.ask(message)
    return answer


def test_a_job_that_waits_is_cancelled_whole(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    answer = ask(lone, CancelJobs(jobs=(job, "job-x")))
    assert isinstance(answer, Changed)
    assert answer.unknown == ("job-x",)
    assert (answer.jobs[0].was, answer.jobs[0].state) == ("queued", "cancelled")
    assert states(lone, job) == {"cancelled"}


def test_a_running_call_is_told_and_its_late_result_is_stale(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    ask(lone, CancelJobs(jobs=(job,)))
    assert lone.step(job).state == "cancelled"
    lone.until(lambda: worker.heard(Cancel))
    finish_demux(lone, worker, identity)
    assert lone.step(job).state == "cancelled"
    assert state(lone, job) == "cancelled"
    assert not (lone.path / "job1" / ".scratch").exists()
    assert not (lone.path / "job1" / "01_demux").exists()


def test_a_result_that_is_being_taken_in_when_its_job_is_cancelled_is_not_committed(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    files_in_place = hold_files_back(monkeypatch)
    result, audio = demux_result(lone.path / "job1", identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=1), identity)
    lone.until(lone.coordinator.dispatcher.is_accepting)
    ask(lone, CancelJobs(jobs=(job,)))
    files_in_place.set()
    lone.until(lambda: worker.heard(Ack))
    assert (lone.step(job).state, lone.step(job).attempt) == ("cancelled", 1)


def test_a_cancelled_job_leaves_its_worker_to_the_next_one(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    ask(lone, CancelJobs(jobs=(job,)))
    other = lone.add_job()
    stopped = ErrorInfo(kind=ErrorKind.CANCELLED, message="The job was cancelled.")
    fail(lone, worker, identity, stopped)
    assert called(lone, worker).job == other


def test_what_has_ended_is_not_cancelled(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    fail(lone, worker, called(lone, worker), INPUT)
    (change,) = ask(lone, CancelJobs(jobs=(job,))).jobs
    assert (change.was, change.state, change.steps) == ("failed", "failed", ())


def test_a_failed_job_is_resumed_where_it_failed_with_its_lives_back(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    fail(lone, worker, called(lone, worker), INPUT)
    assert states(lone, job) == {"failed", "skipped"}
    (change,) = ask(lone, ResumeJobs(jobs=(job,))).jobs
    assert (change.was, change.state) == ("failed", "queued")
    step = lone.step(job)
    assert (step.failures, step.kills, step.error) == (0, 0, None)
    assert called(lone, worker).attempt == 2
    found = lone.store.job(job)
    assert found is not None
    assert (found.state, found.ended_at, found.elapsed_ms) == ("running", None, None)


def test_what_is_done_stays_done_when_a_job_is_resumed(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    finish_demux(lone, worker, called(lone, worker))
    ask(lone, CancelJobs(jobs=(job,)))
    (change,) = ask(lone, ResumeJobs(jobs=(job,))).jobs
    assert "demux" not in change.steps
    assert lone.step(job).state == "done"
    assert lone.step(job, "asr").state == "ready"


def test_everything_that_failed_or_is_held_is_resumed_and_nothing_else(lone: LoneCoordinator) -> None:
    failed, worker = lone.add_job(), lone.worker()
    fail(lone, worker, called(lone, worker), INPUT)
    held, cancelled = lone.add_job(hold=True), lone.add_job()
    ask(lone, CancelJobs(jobs=(cancelled,)))
    answer = ask(lone, ResumeJobs(everything=True))
    assert {job.job for job in answer.jobs} == {failed, held}
    assert state(lone, cancelled) == "cancelled"


def test_a_resumed_job_that_goes_on_already_is_left_alone(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    (change,) = ask(lone, ResumeJobs(jobs=(job,))).jobs
    assert change.steps == ()
    assert lone.step(job).identity == identity


def test_a_held_job_waits_for_its_resume(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(hold=True), lone.worker()
    other = lone.add_job()
    identity = called(lone, worker)
    assert identity.job == other
    fail(lone, worker, identity, INPUT)
    lone.restart()
    worker = lone.worker(pid=1)
    assert lone.add_job(hold=True) != job
    assert state(lone, job) == "held"
    ask(lone, ResumeJobs(jobs=(job,)))
    assert called(lone, worker).job == job


def test_a_full_disk_holds_the_job_with_its_sentence_until_there_is_room(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    fail(lone, worker, called(lone, worker), FULL)
    assert state(lone, job) == "held"
    report = ask(lone, StatusQuery(jobs=(job,))).jobs[0]
    assert report.error.message == FULL.message
    assert report.error.remedy == f"Make room, then: cpw resume {job}"
    lone.restart()
    worker = lone.worker(pid=1)
    for _ in range(20):
        lone.coordinator.turn(1)
    assert worker.heard(Call) is None
    ask(lone, ResumeJobs(everything=True))
    assert called(lone, worker).attempt == 2


def test_a_stage_is_done_again_with_all_that_depends_on_it(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    finish_demux(lone, worker, called(lone, worker))
    (change,) = ask(lone, RetryJob(job=job, stage="demux")).jobs
    assert change.steps == ("demux", "asr", "align", "clean", "subtitle-source")
    assert called(lone, worker).attempt == 2
    assert lone.step(job, "asr").state == "waiting"


def test_a_step_that_waits_for_its_next_try_is_not_begun_before_what_is_done_again(
    lone: LoneCoordinator,
) -> None:
    job, worker = lone.add_job(), lone.worker()
    finish_demux(lone, worker, called(lone, worker))
    attempt = lone.store.begin(lone.step(job, "asr"), "1", "speech.1.test")
    failure = Failure(error=MEMORY, duration_ms=1)
    lone.coordinator.dispatcher.on_failure(attempt, failure, b"speech.1.test", time.monotonic())
    assert lone.step(job, "asr").error == MEMORY
    ask(lone, RetryJob(job=job, stage="demux"))
    lone.coordinator.dispatcher.send_ready(time.monotonic() + 1_000)
    assert lone.step(job, "asr").state == "waiting"


def test_a_stage_that_the_job_does_not_have_is_refused_by_name(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    refused, unknown = lone.ask(RetryJob(job=job, stage="mux"), RetryJob(job="job-x", stage="asr"))
    assert isinstance(refused, Refused)
    assert "no stage 'mux'" in refused.error.message
    assert "demux, asr, align, clean, subtitle" in refused.error.remedy
    assert unknown.unknown == ("job-x",)


def test_the_more_urgent_job_goes_first(lone: LoneCoordinator) -> None:
    lone.add_job()
    urgent = lone.add_job(priority=10)
    assert called(lone, lone.worker()).job == urgent


def test_a_worker_whose_memory_ran_out_is_told_to_unload(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    worker.say(Failure(error=MEMORY, duration_ms=1), called(lone, worker))
    lone.until(lambda: worker.heard(Unload))
    assert lone.step(job).state == "waiting"


def test_jobs_that_ended_are_removed_with_their_folders(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    fail(lone, worker, called(lone, worker), INPUT)
    # Held: otherwise the worker may be given it before it is cancelled, and would still have it.
    other, running = lone.add_job(hold=True), lone.add_job()
    ask(lone, CancelJobs(jobs=(other,)))
    called(lone, worker)
    folder = lone.path / "job1"
    (folder / "job.json").write_text(json.dumps({"job": job}))
    dry = ask(lone, PruneJobs(older_than_ms=0, states=ENDED, dry_run=True))
    assert set(dry.jobs) == {job, other}
    assert dry.size_bytes >= 4096
    assert folder.exists()
    assert ask(lone, PruneJobs(older_than_ms=60_000, states=ENDED, dry_run=False)).jobs == ()
    removed = ask(lone, PruneJobs(older_than_ms=0, states=("failed",), dry_run=False))
    assert isinstance(removed, Pruned)
    assert removed.jobs == (job,)
    assert not folder.exists()
    assert ask(lone, StatusQuery(jobs=(job,))).unknown == (job,)
    assert state(lone, running) == "running"
    assert isinstance(ask(lone, PruneJobs(older_than_ms=0, states=("running",), dry_run=False)), Refused)


@pytest.mark.parametrize(
    "body",
    [{}, {"states": ["done"]}, {"older_than_ms": 0}, {"older_than_ms": 0, "states": ["failed"]}],
)
def test_a_removal_that_does_not_say_everything_removes_nothing(
    lone: LoneCoordinator, body: dict[str, Any]
) -> None:
    job = lone.add_job()
    ask(lone, CancelJobs(jobs=(job,)))
    with pytest.raises(SchemaError):
        from_plain(PruneJobs, body)
    assert state(lone, job) == "cancelled"


def test_a_folder_that_has_become_anothers_is_not_removed_with_a_job(lone: LoneCoordinator) -> None:
    job = lone.add_job()
    ask(lone, CancelJobs(jobs=(job,)))
    (lone.path / "job1" / "job.json").write_text('{"job": "another"}')
    assert ask(lone, PruneJobs(older_than_ms=0, states=ENDED, dry_run=False)).jobs == (job,)
    assert (lone.path / "job1" / "job.json").exists()


def test_a_submission_sent_twice_is_one_job(lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch) -> None:
    media = lone.path / "film.mkv"
    media.touch()
    monkeypatch.setattr("coordinator.planning.inventory.Inventory.check_built", lambda *_: None)
    monkeypatch.setattr("envspecs.models.registry.has_model", lambda _: True)
    submit = Submit(
        media=str(media), workflow="transcribe", user="u", out=str(lone.path / "out"), key="k", hold=True
    )
    first, second = lone.ask(submit, submit)
    assert isinstance(first, Submitted)
    assert first.job == second.job
    assert len(lone.store.newest_jobs(10)) == 1


def test_a_step_says_who_runs_it_and_for_how_long(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    called(lone, worker)
    (report,) = ask(lone, StatusQuery(jobs=(job,))).jobs
    running = report.steps[0]
    assert running.worker == worker.name
    assert 0 <= running.running_ms < 60_000
    assert {step.worker for step in report.steps[1:]} == {""}


def test_a_step_that_waits_for_a_broken_environment_says_so(lone: LoneCoordinator) -> None:
    lone.supervised(common={"state": "crash-loop"})
    job = lone.add_job()
    (report,) = ask(lone, StatusQuery(jobs=(job,))).jobs
    assert report.steps[0].waits_for == "common: crash-loop: cpw logs common"


def test_a_language_that_is_asked_again_decides_again_what_is_translated(lone: LoneCoordinator) -> None:
    job = lone.add_job(workflow="translate", target_languages=("en",))
    seq = lone.step(job).seq
    done = {step.name: "done" for step in lone.store.steps(job)}
    lone.store.set_language(seq, "en", 0.9, [])
    lone.store.set_states(seq, {**done, "translate-en": "skipped"})
    lone.store.set_job_state(seq, "done", 1)
    (change,) = ask(lone, RetryJob(job=job, stage="align")).jobs
    assert change.steps == ("align", "clean", "subtitle-en")
    (change,) = ask(lone, RetryJob(job=job, stage="asr")).jobs
    assert change.steps == ("asr", "align", "clean", "translate-en", "subtitle-en")
    found = lone.store.job(job)
    assert found is not None
    assert found.language is None


def test_a_retry_can_change_the_settings_of_the_job(lone: LoneCoordinator) -> None:
    job = lone.add_job(parameters={"asr": {"beam_size": 3}})
    request = RetryJob(job=job, stage="asr", parameters={"asr": {"initial_prompt": "Gabbar"}})
    (answer,) = lone.ask(request)
    assert isinstance(answer, Changed)
    row = lone.store.job(job)
    assert row is not None
    assert row.submit.parameters["asr"] == {"beam_size": 3, "initial_prompt": "Gabbar"}


@pytest.mark.parametrize(
    "wrong", [{"asr": {"no_such_field": 1}}, {"asr": {"beam_size": "x"}}, {"asr": {"model": "whisper-none"}}]
)
def test_a_retry_with_wrong_settings_changes_nothing(lone: LoneCoordinator, wrong: dict[str, Any]) -> None:
    job = lone.add_job()
    before = lone.store.job(job), lone.store.steps(job)
    (answer,) = lone.ask(RetryJob(job=job, stage="asr", parameters=wrong))
    assert isinstance(answer, Refused)
    assert (lone.store.job(job), lone.store.steps(job)) == before
