"""A disk that takes its time and a clock that jumps: the loop goes on, and nothing is judged by the clock."""

from __future__ import annotations

import pytest

from protocol import clock
from protocol.messages import Ack, Result, StatusQuery, StatusReport
from tests.lone_coordinator import LoneCoordinator, called, demux_result, hold_files_back


def test_people_are_answered_while_a_slow_disk_takes_a_result_in(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    disk_is_done = hold_files_back(monkeypatch)
    result, audio = demux_result(lone.path / "job1", identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=1), identity)
    lone.until(lone.coordinator.dispatcher.is_accepting)

    (report,) = lone.ask(StatusQuery(jobs=(job,)))
    assert isinstance(report, StatusReport)
    assert report.jobs[0].steps[0].state == "running"
    assert worker.heard(Ack) is None

    disk_is_done.set()
    lone.until(lambda: worker.heard(Ack))
    assert lone.step(job).state == "done"


@pytest.mark.parametrize("instant", ["1999-01-01T00:00:00.000Z", "2999-01-01T00:00:00.000Z"])
def test_a_clock_that_jumps_ends_nothing_and_kills_nobody(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch, instant: str
) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)

    monkeypatch.setattr(clock, "now_iso", lambda: instant)
    for _ in range(20):
        lone.coordinator.turn(5)
    assert not lone.members[worker.name].kill_asked
    assert lone.step(job).state == "running"
    (report,) = lone.ask(StatusQuery(jobs=(job,)))
    assert report.jobs[0].elapsed_ms >= 0

    result, audio = demux_result(lone.path / "job1", identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=1), identity)
    lone.until(lambda: lone.step(job).state == "done")
    assert lone.step(job).attempt == 1
