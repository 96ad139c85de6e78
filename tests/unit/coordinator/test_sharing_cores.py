"""What workers and people are told of cores while calls begin and end."""

from __future__ import annotations

from dataclasses import replace

from protocol.messages import CallIdentity, Cores, HealthQuery, Result
from tests.lone_coordinator import CORES, LoneCoordinator, PlayedWorker, called, demux_result


def demuxed(lone: LoneCoordinator, worker: PlayedWorker, job: str) -> None:
    """Have the worker do the demux call of this job."""
    identity = called(lone, worker)
    result, audio = demux_result(lone.path / job.replace("-", ""), identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=1_000), identity)
    lone.until(lambda: lone.step(job).state == "done")


def recognising(lone: LoneCoordinator, common: PlayedWorker) -> tuple[PlayedWorker, CallIdentity]:
    """Return a worker that has been given the only call that runs."""
    demuxed(lone, common, lone.add_job())
    speech = lone.worker("whisperx")
    return speech, called(lone, speech)


def test_a_call_is_told_its_cores_before_it_begins(lone: LoneCoordinator) -> None:
    lone.add_job()
    worker = lone.worker()
    lone.until(lambda: "Call" in worker.types())
    assert worker.types() == ["Welcome", "Cores", "Call"]
    assert worker.told(Cores) == [Cores(count=1)]


def test_a_lone_call_has_every_core_and_gives_some_to_the_next_until_that_ends(lone: LoneCoordinator) -> None:
    common = lone.worker()
    speech, _ = recognising(lone, common)
    assert speech.told(Cores) == [Cores(count=CORES)]

    job = lone.add_job()
    assert lone.until(lambda: speech.told(Cores)) == [Cores(count=CORES - 1)]
    demuxed(lone, common, job)
    assert lone.until(lambda: speech.told(Cores)) == [Cores(count=CORES)]
    assert common.told(Cores) == [Cores(count=1)]


def test_a_coordinator_that_comes_back_tells_a_running_call_again(lone: LoneCoordinator) -> None:
    speech, identity = recognising(lone, lone.worker())
    speech.told(Cores)
    lone.restart()
    speech.hello = replace(speech.hello, state="busy", busy_with=identity)
    speech.say(speech.hello)
    assert lone.until(lambda: speech.told(Cores)) == [Cores(count=CORES)]


def test_health_shows_the_cores_of_calls_that_run(lone: LoneCoordinator) -> None:
    common = lone.worker()
    (idle,) = lone.ask(HealthQuery())
    lone.add_job()
    called(lone, common)
    (busy,) = lone.ask(HealthQuery())
    found = [
        {seen.environment: seen.cores for seen in report.environments}["common"] for report in (idle, busy)
    ]
    assert found == [0, 1]
    assert idle.cores == CORES
