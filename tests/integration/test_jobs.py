"""Cancelled, held, resumed, out of memory, out of disk: the whole house with quick engines."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.errors import CpwError, ErrorKind
from protocol.job_changes import CancelJobs, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import JobReport, StatusQuery
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


def test_a_damaged_store_is_mended_from_its_backup_and_health_says_what_is_lost(house: House) -> None:
    first = house.submit()
    assert house.ended(first).state == "done"
    house.stop()
    house.start()
    second = house.submit(hold=True)
    house.stop()
    for path in (house.home / "state").glob("jobs.sqlite*"):
        path.write_bytes(b"\0" * path.stat().st_size)
    house.start()
    assert house.job(first).state == "done"
    assert house.ask(StatusQuery(jobs=(second,))).unknown == (second,)
    report = house.health()
    assert report is not None
    assert "The job store was damaged" in report.notices[0]


# full disks: only root may mount one that is small


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder that is a file system of 300 MiB."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300m", "tmpfs", str(place)]
    if os.getuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here: that takes root")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Leave no byte free on the disk and return the file that takes them."""
    taken = disk / "taken"
    with taken.open("wb", buffering=0) as file:
        for size in (MIB, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
    return taken


def submit_until_refused(house: House) -> tuple[list[str], CpwError]:
    """Return the jobs that were accepted, and why no more were: a log written ahead has room of its own."""
    accepted: list[str] = []
    while len(accepted) < 200:
        try:
            accepted.append(house.submit())
        except CpwError as error:
            return accepted, error
    message = "a full disk took 200 jobs"
    raise AssertionError(message)


def test_a_job_on_a_full_disk_is_held_with_a_sentence_and_goes_on_when_there_is_room(
    house: House, small_disk: Path
) -> None:
    house.out = small_disk / "out"
    job = house.submit(hold=True)
    taken = fill(small_disk)

    house.ask(ResumeJobs(jobs=(job,)))

    report = reached(house, job, "held")
    assert report.error is not None
    assert report.error.kind is ErrorKind.DISK_FULL
    assert report.error.remedy == f"Make room, then: cpw resume {job}"
    folder = Path(report.directory)
    assert not [path for path in folder.glob("0*/**/*") if path.is_file()]
    taken.unlink()
    house.ask(ResumeJobs(jobs=(job,)))
    assert until(lambda: house.job(job).state == "done", what="done")
    assert {step.state for step in house.job(job).steps} == {"done"}


def test_a_full_disk_under_the_store_loses_nothing(tmp_path: Path, small_disk: Path) -> None:
    with House(tmp_path, CPW_STATE=str(small_disk / "state")) as house:
        house.start()
        release = tmp_path / "release"
        job = house.submit(parameters=orders(f"until:{release}"))
        until(lambda: house.job(job).steps[1].state == "running")
        worker = house.environment("whisperx").pid
        taken = fill(small_disk)
        accepted, refused = submit_until_refused(house)
        assert refused.kind in (ErrorKind.DISK_FULL, ErrorKind.NOT_RUNNING)
        release.touch()
        # What the store cannot hold ends the coordinator, and its supervisor starts it again and again.
        until(lambda: house.supervisor_state()["children"]["coordinator"]["restarts"], what="a restart")
        taken.unlink()
        for accepted_job in (job, *accepted):
            assert house.ended(accepted_job, timeout_s=60).state == "done"
        until(lambda: house.environment("whisperx").pid == worker, what="the worker kept its models")
