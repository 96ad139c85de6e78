"""Engines and machines that misbehave in every way we know, while others want their films."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocol.errors import ErrorKind
from tests.conftest import Figure
from tests.house import House, until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(90)]

_MIB = 1024 * 1024
_STEP_LOG_BYTES = 9 * _MIB
_ALL_LOGS_BYTES = 3 * 17 * _MIB
_CRASHED = {"segfault": ErrorKind.CRASHED, "exit": ErrorKind.CRASHED}
_RAISED = {"systemexit": ErrorKind.BUG, "memory": ErrorKind.RESOURCE, "bug": ErrorKind.BUG}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a running house whose budgets are a few hundredths of a second to two seconds."""
    with House(tmp_path, CPW_BUDGET_SCALE="0.004") as built:
        built.start()
        yield built


def ordered(house: House, order: str) -> str:
    """Submit a film under which recognition does what `order` says."""
    return house.submit(order.encode(), parameters={"asr": {"initial_prompt": order}}, reuse=False)


def asr_runs(house: House, job: str) -> bool:
    """Return whether the job's recognition runs now."""
    return {step.name: step.state for step in house.job(job).steps}["asr"] == "running"


def test_films_of_every_ill_kind_fail_alone_and_the_others_are_done(house: House) -> None:
    kinds = _CRASHED | _RAISED
    bad = {order: ordered(house, order) for order in kinds}
    good = [house.submit(b"good %d" % number) for number in range(3)]

    for order, job in bad.items():
        report = house.ended(job, timeout_s=60)
        assert (report.state, report.error and report.error.kind) == ("failed", kinds[order]), order
    assert [house.ended(job).state for job in good] == ["done"] * 3


def test_a_call_that_never_ends_is_ended_by_its_budget_gil_or_not(house: House, tmp_path: Path) -> None:
    hung = [ordered(house, f"hold-gil:{tmp_path / 'sign'}"), ordered(house, "loop")]
    good = house.submit(b"good")

    for job in hung:
        report = house.ended(job, timeout_s=60)
        assert (report.state, report.error and report.error.kind) == ("failed", ErrorKind.HUNG)
        assert report.error is not None
        assert "longer than its budget" in report.error.message
    assert house.ended(good).state == "done"
    house.stop()
    until(lambda: not house.processes(), 5.0, "no grandchild is left")


def test_a_worker_that_is_stopped_under_a_call_costs_the_film_nothing(house: House, tmp_path: Path) -> None:
    job = ordered(house, f"kill-once:{tmp_path / 'not-yet'}")
    other = house.submit(b"good")
    pid = house.environment("common").pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)

    assert house.ended(job, timeout_s=60).state == "done"
    assert house.ended(other).state == "done"
    assert house.environment("common").pid != pid


def test_two_workers_that_die_at_once_cost_no_film(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    job = ordered(house, f"until:{release}")
    until(lambda: asr_runs(house, job), what="asr runs")
    for name in ("common", "whisperx"):
        os.kill(house.environment(name).pid or 0, signal.SIGKILL)
    release.touch()

    report = house.ended(job, timeout_s=60)
    assert report.state == "done"
    assert [step.attempt for step in report.steps if step.name == "asr"] == [2]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("megabytes", [12, pytest.param(100, marks=pytest.mark.long)])
def test_a_flood_of_output_fills_no_log_and_loses_no_film(
    tmp_path: Path, figure: Figure, megabytes: int
) -> None:
    with House(tmp_path) as house:
        house.start()
        report = house.ended(ordered(house, f"flood:{megabytes}"), timeout_s=280)
        step = (Path(report.directory) / "logs" / "asr.log").stat().st_size
        logs = sum(path.stat().st_size for path in (house.home / "logs").glob("*.log*"))

    figure(
        f"flood: {megabytes} MB printed, the step's log {step / _MIB:.1f} MB, all logs {logs / _MIB:.0f} MB"
    )
    assert report.state == "done"
    assert step < _STEP_LOG_BYTES
    assert logs < _ALL_LOGS_BYTES


def test_a_job_folder_that_cannot_be_written_fails_its_own_film_only(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    job = ordered(house, f"until:{release}")
    until(lambda: asr_runs(house, job), what="asr runs")
    directory = Path(house.job(job).directory)
    # Permissions do not stop root, in whose name tests may run; a file in a folder's place stops everybody.
    (directory / "06_asr").touch()
    release.touch()
    good = house.submit(b"good")

    report = house.ended(job, timeout_s=60)
    assert report.state == "failed"
    assert report.error is not None
    assert report.error.message
    assert house.ended(good).state == "done"
