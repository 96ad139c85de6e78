"""One environment changed while the house runs: real processes and sockets, quick engines, quick builds."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.errors import ExitCode, MissingError, NotRunningError, UsageError
from protocol.job_changes import ReloadEnvironment
from tests.building_house import CRASHES, UNUSABLE, BuildingHouse
from tests.conftest import Figure
from tests.house import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

TOKEN = "hf_aTokenThatNobodyMaySee"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[BuildingHouse]:
    """Return a running house: common; whisperx recognises and translates; aligner aligns."""
    speech = {"asr": "FakeAsr", "translate": "FakeTranslate"}
    with BuildingHouse(tmp_path, speech=speech) as built:
        built.add_environment("aligner", {"align": "FakeAlign"})
        built.start()
        yield built


def submit(house: BuildingHouse, release: Path | None = None) -> str:
    """Submit a film; its recognition waits for `release`."""
    parameters = {"asr": {"initial_prompt": f"until:{release}"}} if release else {}
    return house.submit(parameters=parameters)


def runs(house: BuildingHouse, job: str, stage: str = "asr") -> bool:
    return {step.name: step.state for step in house.job(job).steps}[stage] == "running"


def attempts(house: BuildingHouse) -> set[tuple[int, int, int]]:
    """Return attempt, kills and failures, as they are of any step."""
    store = sqlite3.connect(house.home / "state" / "jobs.sqlite", timeout=5)
    try:
        return set(store.execute("SELECT attempt, kills, failures FROM steps"))
    finally:
        store.close()


def is_said_to_be_broken(house: BuildingHouse, state: str, waiting: str) -> None:
    """Health and a new submission name the way back; what waits says for what, the rest of it is done."""
    assert house.environment("whisperx").remedy == "cpw envs rollback whisperx"
    assert house.cpw("health").returncode == ExitCode.NOT_RUNNING
    with pytest.raises(NotRunningError) as refused:
        submit(house)
    assert refused.value.remedy == "cpw envs rollback whisperx"
    until(lambda: {s.name: s.state for s in house.job(waiting).steps}["demux"] == "done", what="demux")
    asr = next(step for step in house.job(waiting).steps if step.name == "asr")
    assert asr.waits_for.startswith(f"whisperx: {state}")


@pytest.mark.parametrize(("how", "state"), [(UNUSABLE, "unusable"), (CRASHES, "crash-loop")])
def test_an_environment_is_upgraded_broken_and_rolled_back_while_a_batch_runs_in_the_others(
    house: BuildingHouse, tmp_path: Path, figure: Figure, how: str, state: str
) -> None:
    good = house.cpw("envs", "upgrade", "whisperx")
    assert good.returncode == ExitCode.DONE, good.stderr
    first = house.child("whisperx")["build"]
    before = house.pids("common", "aligner", "whisperx")
    release = tmp_path / "release"
    batch = [submit(house, release) for _ in range(4)]
    until(lambda: runs(house, batch[0]), what="the first recognition runs")

    house.break_next(how)
    upgraded = house.cpw("envs", "upgrade", "whisperx")
    assert upgraded.returncode == ExitCode.DONE, upgraded.stderr
    assert "its worker finishes asr of" in upgraded.stdout
    batch += [submit(house) for _ in range(4)]
    until(lambda: house.environment("whisperx").state == "draining", what="it is told to go")
    assert house.environment("whisperx").pid == before["whisperx"], "its call has not ended yet"
    release.touch()

    until(lambda: house.environment("whisperx").state == state, what=state)
    assert house.child("whisperx")["build"] != first
    is_said_to_be_broken(house, state, batch[-1])

    back = house.cpw("envs", "rollback", "whisperx")
    assert back.returncode == ExitCode.DONE, back.stderr
    assert house.child("whisperx")["build"] == first
    assert {house.ended(job).state for job in batch} == {"done"}
    after = house.pids("common", "aligner", "whisperx")
    kept = [name for name in before if name != "whisperx" and before[name] == after[name]]
    assert kept == ["supervisor", "coordinator", "common", "aligner"]
    assert after["whisperx"] not in (None, before["whisperx"])
    assert attempts(house) == {(1, 0, 0)}, "no film was blamed, none was begun twice"
    figure(
        f"whisperx (quick engines) upgraded, {state}, rolled back under {len(batch)} films: "
        f"{len(batch)} done, 0 lost, {len(kept)} other processes with their ids unchanged"
    )


def test_a_worker_ends_its_call_before_it_is_replaced(house: BuildingHouse, tmp_path: Path) -> None:
    release = tmp_path / "release"
    job = submit(house, release)
    until(lambda: runs(house, job), what="the recognition runs")
    pid = house.environment("whisperx").pid

    told = house.ask(ReloadEnvironment(environment="whisperx"))
    assert (told.pid, told.job, told.step) == (pid, job, "asr")
    until(lambda: house.environment("whisperx").state == "draining", what="draining")
    release.touch()

    assert house.ended(job).state == "done"
    until(lambda: house.environment("whisperx").usable, what="a new worker")
    assert house.environment("whisperx").pid != pid
    assert attempts(house) == {(1, 0, 0)}


def test_a_call_that_is_not_waited_for_is_given_back_and_its_film_not_blamed(
    house: BuildingHouse, tmp_path: Path
) -> None:
    job = submit(house, tmp_path / "release")
    until(lambda: runs(house, job), what="the recognition runs")
    pid = house.environment("whisperx").pid

    ended = house.cpw("envs", "reload", "--now", "whisperx")
    assert ended.returncode == ExitCode.DONE, ended.stderr
    assert house.environment("whisperx").pid not in (None, pid)
    until(lambda: runs(house, job), what="it runs again")
    (tmp_path / "release").touch()

    report = house.ended(job)
    assert report.state == "done"
    assert next(step.attempt for step in report.steps if step.name == "asr") == 2
    assert {(kills, failures) for _, kills, failures in attempts(house)} == {(0, 0)}


def test_a_coordinator_that_dies_in_between_goes_on_with_the_replacement(
    house: BuildingHouse, tmp_path: Path
) -> None:
    release = tmp_path / "release"
    job = submit(house, release)
    until(lambda: runs(house, job), what="the recognition runs")
    pid = house.environment("whisperx").pid
    house.ask(ReloadEnvironment(environment="whisperx"))
    until(lambda: house.child("whisperx")["state"] == "replacing", what="written down")

    health = house.health()
    assert health is not None
    os.kill(health.pid, signal.SIGKILL)
    until(lambda: (now := house.health()) is not None and now.pid != health.pid, what="a new coordinator")
    release.touch()

    assert house.ended(job).state == "done"
    until(lambda: house.environment("whisperx").usable and house.environment("whisperx").pid != pid)
    assert attempts(house) == {(1, 0, 0)}


def test_a_build_that_fails_changes_nothing_and_disturbs_nobody(house: BuildingHouse) -> None:
    house.cpw("envs", "upgrade", "whisperx")
    lock = house.home / "envspecs" / "locks" / "whisperx.txt"
    before, text, build = house.pids("common", "whisperx"), lock.read_text(), house.child("whisperx")["build"]

    (house.home / "no-solution").touch()
    failed = house.cpw("envs", "upgrade", "whisperx")
    assert failed.returncode == ExitCode.MISSING
    assert "cannot be resolved" in failed.stderr
    (house.home / "no-solution").unlink()
    house.break_next("raise SystemExit('the probe finds it broken')\n")
    failed = house.cpw("envs", "upgrade", "whisperx")
    assert failed.returncode == ExitCode.MISSING
    assert "a worker could not start in it" in failed.stderr

    assert lock.read_text() == text
    assert house.child("whisperx")["build"] == build
    assert house.pids("common", "whisperx") == before
    assert house.ended(submit(house)).state == "done"


def test_a_second_version_is_made_built_used_by_name_and_removed_while_the_house_runs(
    house: BuildingHouse,
) -> None:
    before = house.pids("common", "aligner", "whisperx")
    copied = house.cpw("envs", "copy", "whisperx", "whisperx-experimental")
    assert copied.returncode == ExitCode.DONE, copied.stderr
    assert "cpw envs build whisperx-experimental" in copied.stdout
    assert "--env asr=whisperx-experimental" in copied.stdout
    with pytest.raises(MissingError, match="not built"):
        house.submit(environments={"asr": "whisperx-experimental"})

    built = house.cpw("envs", "build", "whisperx-experimental")
    assert built.returncode == ExitCode.DONE, built.stderr
    assert "whisperx-experimental: ready" in built.stdout
    named = house.ended(house.submit(environments={"asr": "whisperx-experimental"}))
    usual = house.ended(submit(house))
    assert (named.state, usual.state) == ("done", "done")
    served = [next(s.environment for s in job.steps if s.name == "asr") for job in (named, usual)]
    assert served == ["whisperx-experimental", "whisperx"]
    assert house.pids("common", "aligner", "whisperx") == before

    removed = house.cpw("envs", "remove", "whisperx-experimental")
    assert removed.returncode == ExitCode.DONE, removed.stderr
    assert "whisperx-experimental" not in house.supervisor_state()["children"]
    assert not list(house.home.glob("venv/**/whisperx-experimental*"))
    with pytest.raises(UsageError, match="no environment 'whisperx-experimental'"):
        house.submit(environments={"asr": "whisperx-experimental"})
    assert house.pids("common", "aligner", "whisperx") == before


def test_an_environment_of_the_project_is_not_removed(house: BuildingHouse) -> None:
    refused = house.cpw("envs", "remove", "whisperx")
    assert refused.returncode == ExitCode.USAGE
    assert "not a copy" in refused.stderr
    assert (house.home / "envspecs" / "whisperx.toml").is_file()


def test_an_environment_that_is_built_behind_the_houses_back_is_named_and_started_by_a_command(
    house: BuildingHouse,
) -> None:
    house.add_environment("second", {"vad": "FakeVad"}, 'model_kinds = ["none"]')
    seen = house.environment("second")
    assert (seen.state, seen.remedy) == ("stopped", "cpw envs reload second")

    with pytest.raises(UsageError, match="no environment 'third'"):
        house.ask(ReloadEnvironment(environment="third"))
    with pytest.raises(UsageError, match="no environment 'coordinator'"):
        house.ask(ReloadEnvironment(environment="coordinator"))
    before = house.pids("common", "whisperx")
    ended = house.cpw("envs", "reload", "second")
    assert ended.returncode == ExitCode.DONE, ended.stderr
    assert house.environment("second").usable

    house.add_environment("third", {"separate": "NoSuchEngine"}, 'model_kinds = ["none"]')
    ended = house.cpw("envs", "reload", "third")
    assert ended.returncode == ExitCode.NOT_RUNNING
    assert "third is unusable: The engines of third cannot be loaded" in ended.stderr
    assert house.pids("common", "whisperx") == before


def test_a_token_reaches_no_worker_no_log_and_no_job(tmp_path: Path) -> None:
    with BuildingHouse(tmp_path, HF_TOKEN=TOKEN) as house:
        house.start()
        assert house.ended(submit(house)).state == "done"
        house.cpw("envs", "upgrade", "whisperx")
        for process in house.processes():
            assert TOKEN not in process.environ().values()
        house.stop()
        for root in (house.home, house.out, house.runtime):
            for path in root.rglob("*"):
                if path.is_file() and not path.is_symlink():
                    assert TOKEN.encode() not in path.read_bytes(), path
