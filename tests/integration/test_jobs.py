"""Cancelled, held, resumed, out of memory, out of disk: the whole house with quick engines."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from protocol.job_changes import CancelJobs, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import JobReport
from tests.house import House, until

pytestmark = pytest.mark.integration
MIB = 2**20


def reached(house: House, job: str, state: str) -> JobReport:
    return until(lambda: report if (report := house.job(job)).state == state else None, what=f"{job} {state}")


def orders(text: str) -> dict[str, dict[str, str]]:
    return {"asr": {"initial_prompt": text}}


def test_a_running_job_is_cancelled_and_resumed_without_doing_finished_work_again(
    house: House, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    job = house.submit(parameters=orders(f"until:{release}"))
    until(lambda: house.job(job).steps[1].state == "running")

    house.ask(CancelJobs(jobs=(job,)))

    assert reached(house, job, "cancelled").steps[0].state == "done"
    until(lambda: house.environment("whisperx").state == "ready", what="the worker is free again")
    release.touch()
    house.ask(ResumeJobs(jobs=(job,)))
    report = house.ended(job)
    assert report.state == "done"
    assert [step.attempt for step in report.steps[:2]] == [1, 2]
    until(lambda: not (Path(report.directory) / ".scratch").exists())


def test_a_held_job_runs_when_it_is_resumed(house: House) -> None:
    held, other = house.submit(hold=True), house.submit()
    assert house.ended(other).state == "done"
    assert house.job(held).state == "held"
    assert {step.attempt for step in house.job(held).steps} == {0}
    house.ask(ResumeJobs(jobs=(held,)))
    assert until(lambda: house.job(held).state == "done")


def test_a_stage_is_retried_with_what_depends_on_it_and_nothing_else(house: House) -> None:
    job = house.submit()
    house.ended(job)
    house.ask(RetryJob(job=job, stage="align"))
    report = house.ended(job)
    assert report.state == "done"
    assert [step.attempt for step in report.steps] == [1, 1, 2, 2, 2, 2]


def test_a_job_that_is_removed_leaves_no_folder_and_one_that_runs_is_kept(
    house: House, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    ended = house.submit()
    folder = Path(house.ended(ended).directory)
    running = house.submit(parameters=orders(f"until:{release}"))
    answer = house.ask(PruneJobs(older_than_ms=0, states=("done", "failed", "cancelled"), dry_run=False))
    assert answer.jobs == (ended,)
    assert answer.size_bytes > 0
    assert not folder.exists()
    assert house.job(running).state in ("queued", "running")
    release.touch()
    assert house.ended(running).state == "done"


def test_after_running_out_of_memory_the_models_are_let_go_and_the_pieces_are_small(
    house: House, tmp_path: Path
) -> None:
    assert house.ended(house.submit()).state == "done"
    job = house.submit(parameters=orders(f"memory-once:{tmp_path / 'was-here'}"))
    report = house.ended(job)
    assert report.state == "done"
    assert report.steps[1].attempt == 2
    assert (Path(report.directory) / "06_asr" / "batch.txt").read_text() == "1"
    models = until(lambda: house.environment("whisperx").models)
    assert [model.loads for model in models] == [2]


# the store's file


def test_a_second_coordinator_on_the_same_store_is_refused_with_a_sentence(
    house: House, tmp_path: Path
) -> None:
    command = [house.home / "venv" / "common" / "bin" / "python", "-I", "-m", "coordinator", "--runtime"]
    other = subprocess.run(
        [*command, tmp_path / "r"], env=house.environ, check=False, capture_output=True, text=True, timeout=30
    )
    assert other.returncode == 4
    assert "Another coordinator (process " in other.stderr
    assert "Traceback" not in other.stderr
