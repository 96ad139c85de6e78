"""A house that is broken while it is up: folders and files removed, processes stopped, disks filled.

Each is a fault that people met or made on purpose: nothing may be lost or done twice, and health says it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from protocol.errors import CpwError, ErrorKind
from protocol.job_changes import ResumeJobs
from protocol.messages import JobReport, StatusQuery
from protocol.supervisor import COORDINATOR, read_supervisor
from tests.house import ROOT, House, until

pytestmark = [pytest.mark.integration, pytest.mark.chaos]
MIB = 2**20


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a house that is up."""
    with House(tmp_path) as built:
        built.start()
        yield built


def test_a_runtime_folder_that_a_logout_removes_comes_back_and_no_worker_notices(house: House) -> None:
    before = {name: child["pid"] for name, child in house.supervisor_state()["children"].items()}
    shutil.rmtree(house.runtime)

    state = until(lambda: read_supervisor(house.runtime), 20, "supervisor.json is back")
    until(lambda: (report := house.health()) is not None and report.healthy, 30, "healthy again")
    assert house.supervisor is not None
    assert state.pid == house.supervisor.pid
    after = {name: child["pid"] for name, child in house.supervisor_state()["children"].items()}
    assert {name: pid for name, pid in after.items() if name != COORDINATOR} == {
        name: pid for name, pid in before.items() if name != COORDINATOR
    }
    assert house.ended(house.submit(b"after the logout")).state == "done"


def _cpw(house: House, *words: str) -> subprocess.CompletedProcess[str]:
    cpw = ROOT / "venv" / "common" / "bin" / "cpw"
    return subprocess.run([cpw, *words], env=house.environ, capture_output=True, text=True, check=False)


def test_after_its_runtime_folder_was_removed_a_house_is_still_found_and_is_the_only_one(
    house: House,
) -> None:
    usual = len(house.processes())
    shutil.rmtree(house.runtime)
    up = _cpw(house, "up", "--wait", "60")
    assert up.returncode == 0, up.stdout + up.stderr
    assert house.supervisor is not None
    assert f"already running, process {house.supervisor.pid}" in up.stdout
    assert len(house.processes()) == usual

    shutil.rmtree(house.runtime)
    told = _cpw(house, "down")
    assert told.returncode == 0
    assert told.stdout.endswith("stopped\n")
    until(lambda: house.supervisor is None or house.supervisor.poll() is not None, 20, "the supervisor ends")
    assert not house.processes()


def test_a_model_that_is_removed_while_the_house_is_up_is_a_problem_that_says_what_to_do(
    house: House,
) -> None:
    manifest = house.home / "models" / "whisper-base" / "manifest.json"
    manifest.unlink()
    report = until(lambda: (found := house.health()) and not found.healthy and found, 10, "not healthy")
    said = {problem.sentence.partition(" in /")[0] for problem in report.problems}
    assert said == {f"{name}: its model whisper-base is not whole" for name in ("common", "whisperx")}
    told = _cpw(house, "health")
    assert told.returncode == 4
    assert "cpw models fetch whisper-base" in told.stdout + told.stderr


def test_a_job_store_that_is_removed_while_the_house_is_up_loses_no_job(house: House) -> None:
    job = house.submit(b"before")
    for path in (house.home / "state").glob("jobs.sqlite*"):
        path.unlink()
    assert house.ended(job).state == "done"
    until((house.home / "state" / "jobs.sqlite").exists, 10, "the store is written again")
    house.stop()
    house.start()
    assert house.job(job).state == "done"


def test_a_coordinator_that_is_stopped_is_replaced_and_the_film_goes_on(tmp_path: Path) -> None:
    with House(tmp_path, CPW_BUDGET_SCALE="0.2") as house:
        house.start()
        before = house.supervisor_state()["children"]
        job = house.submit(b"before it is stopped")
        coordinator = next(p for p in house.processes() if _is_coordinator(p))
        coordinator.suspend()
        until(lambda: not coordinator.is_running() or coordinator.status() == "zombie", 40, "it is killed")
        assert house.ended(job).state == "done"
        after = house.supervisor_state()["children"]
    assert after.pop(COORDINATOR)["pid"] != before.pop(COORDINATOR)["pid"]
    assert {name: child["pid"] for name, child in after.items()} == {
        name: child["pid"] for name, child in before.items()
    }


def _is_coordinator(process: psutil.Process) -> bool:
    words = process.cmdline()
    return words[-3:-1] == ["coordinator", "--runtime"] and "envspecs.processes.guardian" not in words


def test_a_supervisor_that_is_stopped_is_said_by_health(house: House) -> None:
    assert house.supervisor is not None
    house.supervisor.send_signal(signal.SIGSTOP)
    try:
        told = _cpw(house, "health")
    finally:
        house.supervisor.send_signal(signal.SIGCONT)
    assert told.returncode == 4
    assert f"kill -CONT {house.supervisor.pid}" in told.stdout + told.stderr
    assert _cpw(house, "health").returncode == 0


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


def _held(house: House, job: str) -> JobReport:
    return until(lambda: report if (report := house.job(job)).state == "held" else None, what="it is held")


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

    report = _held(house, job)
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
        job = house.submit(parameters={"asr": {"initial_prompt": f"until:{release}"}})
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
