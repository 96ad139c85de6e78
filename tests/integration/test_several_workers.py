"""Several workers of one environment: real processes and sockets, quick engines, played GPUs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from protocol.errors import ExitCode
from protocol.job_changes import ReloadEnvironment
from protocol.messages import EnvironmentHealth
from tests.building_house import CRASHES, BuildingHouse
from tests.house import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

NVIDIA_SMI = """#!/bin/sh
for number in 0 1 2 3; do echo "GPU-$number, 81559, NVIDIA H100 80GB HBM3"; done
"""


@pytest.fixture
def house(tmp_path: Path) -> Iterator[BuildingHouse]:
    """Return a running house whose whisperx has two workers."""
    with BuildingHouse(tmp_path, CPW_WORKERS_WHISPERX="2") as built:
        built.start()
        yield built


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """Return the file that recognitions wait for."""
    return tmp_path / "release"


def workers(house: BuildingHouse) -> dict[str, EnvironmentHealth]:
    """Return the health of each worker of whisperx, by its name."""
    report = until(house.health, what="health")
    return {row.worker: row for row in report.environments if row.environment == "whisperx"}


def pids(house: BuildingHouse) -> dict[str, int | None]:
    return {name: row.pid for name, row in workers(house).items()}


def all_ready(house: BuildingHouse) -> bool:
    return all(row.usable for row in workers(house).values())


def submit(house: BuildingHouse, release: Path) -> str:
    """Submit a film whose recognition waits for the file."""
    return house.submit(parameters={"asr": {"initial_prompt": f"until:{release}"}})


def served_by(house: BuildingHouse, *jobs: str) -> dict[str, str]:
    """Return job to the worker that runs its recognition, once all of them run."""

    def look() -> dict[str, str] | None:
        calls = {row.busy_with.job: name for name, row in workers(house).items() if row.busy_with}
        running = {job: house.job(job) for job in jobs}
        here = {job for job, report in running.items() for step in report.steps if step.state == "running"}
        return {job: calls[job] for job in jobs} if here == set(jobs) <= calls.keys() else None

    return until(look, what="all run")


def attempts(house: BuildingHouse, job: str) -> int:
    return next(step.attempt for step in house.job(job).steps if step.name == "asr")


def test_two_films_are_recognised_at_a_time_and_both_workers_are_shown(
    house: BuildingHouse, release: Path
) -> None:
    jobs = [submit(house, release) for _ in range(2)]
    assert set(served_by(house, *jobs).values()) == {"whisperx", "whisperx.2"}
    shown = house.cpw("health").stdout.splitlines()
    for name, pid in pids(house).items():
        assert any(line.split()[:3] == [name, "busy", str(pid)] for line in shown), shown
    release.touch()
    assert {house.ended(job).state for job in jobs} == {"done"}
    assert (house.home / "logs" / "whisperx.2.log").is_file()
    assert house.cpw("logs", "whisperx.2").returncode == ExitCode.DONE
    assert set(house.supervisor_state()["children"]) == {"coordinator", "common", "whisperx", "whisperx.2"}

    assert house.cpw("down").returncode == ExitCode.DONE
    assert house.processes() == []


@pytest.mark.parametrize("dying", ["whisperx", "whisperx.2"])
def test_a_killed_worker_costs_its_own_call_alone(house: BuildingHouse, release: Path, dying: str) -> None:
    jobs = [submit(house, release) for _ in range(2)]
    served = served_by(house, *jobs)
    before = pids(house)
    os.kill(before[dying] or 0, signal.SIGKILL)
    until(lambda: pids(house)[dying] not in (None, before[dying]) and all_ready(house), what="a new one")
    after = served_by(house, *jobs)
    release.touch()

    assert after == served, "the other has a call, so the new one does it again"
    (other,) = before.keys() - {dying}
    assert pids(house)[other] == before[other]
    assert {house.ended(job).state for job in jobs} == {"done"}
    assert {name: attempts(house, job) for job, name in served.items()} == {dying: 2, other: 1}
    assert {name: row.restarts for name, row in workers(house).items()} == {dying: 1, other: 0}


def test_a_new_coordinator_finds_both_calls_still_running(house: BuildingHouse, release: Path) -> None:
    jobs = [submit(house, release) for _ in range(2)]
    served, before = served_by(house, *jobs), pids(house)
    old = until(house.health, what="health").pid
    os.kill(old, signal.SIGKILL)
    until(lambda: (now := house.health()) is not None and now.pid != old, what="a new coordinator")

    assert served_by(house, *jobs) == served
    assert pids(house) == before
    release.touch()
    assert {house.ended(job).state for job in jobs} == {"done"}
    assert [attempts(house, job) for job in jobs] == [1, 1]


def test_the_workers_are_replaced_one_after_the_other_while_one_serves(
    house: BuildingHouse, release: Path
) -> None:
    before = pids(house)
    long = submit(house, release)
    (busy,) = served_by(house, long).values()
    (other,) = before.keys() - {busy}
    house.ask(ReloadEnvironment(environment="whisperx"))
    until(lambda: house.child(busy)["state"] == "replacing", what="written down")
    until(lambda: workers(house)[busy].state == "draining" or pids(house)[other] != before[other])

    short = [submit(house, house.home) for _ in range(3)]
    assert {house.ended(job).state for job in short} == {"done"}
    assert house.job(long).state == "running"
    release.touch()
    until(lambda: not set(pids(house).values()) & {*before.values(), None}, what="both are new")
    assert house.ended(long).state == "done"
    assert {attempts(house, job) for job in (long, *short)} == {1}


def test_a_reload_waits_until_both_are_ready(house: BuildingHouse) -> None:
    before = pids(house)
    done = house.cpw("envs", "reload", "whisperx")
    assert done.returncode == ExitCode.DONE, done.stderr
    assert "restarting its 2 workers" in done.stdout
    now = pids(house)
    for name, pid in now.items():
        assert f"{name}: ready, process {pid}" in done.stdout
        assert pid != before[name]


def test_a_broken_upgrade_costs_one_worker_and_is_rolled_back(house: BuildingHouse) -> None:
    assert house.cpw("envs", "upgrade", "whisperx").returncode == ExitCode.DONE
    before = pids(house)
    house.break_next(CRASHES)
    broken = house.cpw("envs", "upgrade", "whisperx")
    assert broken.returncode == ExitCode.NOT_RUNNING
    assert "cpw envs rollback whisperx" in broken.stderr
    states = {name: row.state for name, row in workers(house).items()}
    assert sorted(states.values()) == ["crash-loop", "ready"]
    (serving,) = (name for name, state in states.items() if state == "ready")
    assert pids(house)[serving] == before[serving]
    assert house.ended(submit(house, house.home)).state == "done"

    assert house.cpw("envs", "rollback", "whisperx").returncode == ExitCode.DONE
    until(lambda: all_ready(house), what="both serve again")
    assert house.cpw("health").returncode == ExitCode.DONE


def test_the_number_in_the_spec_is_followed_when_the_environment_is_reloaded(tmp_path: Path) -> None:
    with BuildingHouse(tmp_path) as house:
        spec = house.home / "envspecs" / "whisperx.toml"
        one = spec.read_text()
        house.start()
        assert list(pids(house)) == ["whisperx"]
        for number, names in ((3, ["whisperx", "whisperx.2", "whisperx.3"]), (1, ["whisperx"])):
            spec.write_text(f"workers = {number}\n{one}")
            done = house.cpw("envs", "reload", "whisperx")
            assert done.returncode == ExitCode.DONE, done.stderr
            assert list(pids(house)) == names
            assert all_ready(house)


def test_a_wrong_number_ends_the_start_with_a_sentence(tmp_path: Path) -> None:
    with BuildingHouse(tmp_path, CPW_WORKERS_WHISPERX="0") as house:
        started = house.cpw("up")
        assert started.returncode == ExitCode.NOT_RUNNING
        assert "CPW_WORKERS_WHISPERX is '0', not per-gpu or a number" in started.stderr


@pytest.mark.parametrize(
    ("visible", "seen"), [(None, ["0", "1", "2", "3"]), ("3,1", ["3", "1"]), ("", [""]), ("2", ["2"])]
)
def test_each_gpu_has_its_worker(
    tmp_path: Path, release: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, seen: list[str]
) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    more = {} if visible is None else {"CUDA_VISIBLE_DEVICES": visible}
    with BuildingHouse(tmp_path, CPW_WORKERS_WHISPERX="per-gpu", **more) as house:
        smi = tmp_path / "tools" / "nvidia-smi"
        smi.write_text(NVIDIA_SMI)
        smi.chmod(0o755)
        house.start()
        devices = {
            name: psutil.Process(pid).environ()["CUDA_VISIBLE_DEVICES"] for name, pid in pids(house).items()
        }
        names = ["whisperx", "whisperx.2", "whisperx.3", "whisperx.4"][: len(seen)]
        assert devices == dict(zip(names, seen, strict=True))

        jobs = [submit(house, release) for _ in seen]
        assert sorted(served_by(house, *jobs).values()) == names
        release.touch()
        assert {house.ended(job).state for job in jobs} == {"done"}
