"""What becomes of steps is counted."""

from __future__ import annotations

from protocol.errors import ErrorInfo, ErrorKind
from protocol.jobs.figures import TOOK_S
from protocol.messages import Failure, FiguresQuery, FiguresReport, Result
from tests.lone_coordinator import LoneCoordinator, called, demux_result


def figures(lone: LoneCoordinator) -> FiguresReport:
    (answer,) = lone.ask(FiguresQuery())
    return answer


def test_nothing_is_counted_at_the_start(lone: LoneCoordinator) -> None:
    found = figures(lone)
    assert found.steps == ()
    assert set(found.jobs.values()) == {0}
    assert found.health.jobs_running == 0


def test_a_step_that_is_done_is_counted_with_its_time_and_its_sound(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    identity = called(lone, worker)
    result, audio = demux_result(lone.path / "job1", identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=2_500), identity)
    lone.until(lambda: lone.step(job).state == "done")
    found = figures(lone)
    (step,) = found.steps
    assert (step.stage, step.environment, step.ended, step.attempts) == (
        "demux", "common", {"done": 1}, {"done": 1},
    )  # fmt: skip
    assert (step.took_ms, step.sound_ms, step.took.index(1)) == (2_500, 2_000, TOOK_S.index(3))
    assert found.jobs["running"] == 1
    assert found.revision > 0


def test_an_attempt_that_fails_is_counted_by_kind_and_the_step_once_it_has_failed_for_good(
    lone: LoneCoordinator,
) -> None:
    job, worker = lone.add_job(), lone.worker()
    for kind in (ErrorKind.BUG, ErrorKind.BUG):
        failure = Failure(error=ErrorInfo(kind=kind, message="It broke."), duration_ms=1)
        worker.say(failure, called(lone, worker))
    lone.until(lambda: lone.step(job).state == "failed")
    (step,) = figures(lone).steps
    assert (step.ended, step.attempts, sum(step.took)) == ({"failed": 1}, {"bug": 2}, 0)
    assert figures(lone).jobs["failed"] == 1


def test_counts_begin_anew_with_the_coordinator(lone: LoneCoordinator) -> None:
    job, worker = lone.add_job(), lone.worker()
    failure = Failure(error=ErrorInfo(kind=ErrorKind.INPUT, message="It is no film."), duration_ms=1)
    worker.say(failure, called(lone, worker))
    lone.until(lambda: lone.step(job).state == "failed")
    lone.restart()
    assert figures(lone).steps == ()
    assert figures(lone).jobs["failed"] == 1
