"""A job as a person sees it: how far it is, and what it has made."""

from __future__ import annotations

import dataclasses

from clients.asking import ask_newest, ask_status
from coordinator.status import report_job
from coordinator.store.rows import StepRow
from protocol.artefacts import Artefact
from protocol.jobs.status import MOST_JOBS
from protocol.messages import Refused, StatusQuery, StatusReport
from protocol.stages import STAGES
from tests.lone_coordinator import LoneCoordinator


def steps_of(lone: LoneCoordinator, **states: str) -> tuple[str, list[StepRow]]:
    job = lone.add_job(workflow="subtitle")
    steps = lone.store.steps(job)
    return job, [dataclasses.replace(step, state=states.get(step.stage, "waiting")) for step in steps]


def fraction(lone: LoneCoordinator, job: str, steps: list[StepRow]) -> float:
    row = lone.store.job(job)
    assert row is not None
    return report_job(row, steps, {}).fraction


def test_the_bar_moves_by_what_each_stage_takes(lone: LoneCoordinator) -> None:
    job, steps = steps_of(lone, demux="done", asr="done")
    total = sum(STAGES[step.stage].weight for step in steps)
    assert fraction(lone, job, steps) == (STAGES["demux"].weight + STAGES["asr"].weight) / total
    assert fraction(lone, job, [dataclasses.replace(step, state="done") for step in steps]) == 1


def test_a_job_with_a_stage_of_a_later_version_can_be_shown(lone: LoneCoordinator) -> None:
    job, steps = steps_of(lone, demux="done")
    steps[-1] = dataclasses.replace(steps[-1], stage="of-later")
    assert 0 < fraction(lone, job, steps) < 1


def test_what_the_person_wanted_is_named_in_the_order_of_the_plan(lone: LoneCoordinator) -> None:
    job, steps = steps_of(lone)
    made = [
        dataclasses.replace(
            step, state="done", artefacts=(Artefact(path=f"{step.name}/file", size=1, sha256=""),)
        )
        for step in steps
    ]
    row = lone.store.job(job)
    assert row is not None
    outputs = report_job(row, made, {}).outputs
    assert outputs == tuple(str(row.directory / name / "file") for name in ("subtitle-source", "mux"))


def test_a_long_list_comes_in_portions_between_which_other_work_is_done(lone: LoneCoordinator) -> None:
    jobs = [lone.add_job() for _ in range(MOST_JOBS + 5)]
    asked: list[StatusQuery] = []

    class Asker:
        def ask(self, message: StatusQuery, *, timeout_ms: int | None = None) -> StatusReport:
            asked.append(message)
            return lone.ask(message)[0]

    assert [job.job for job in ask_newest(Asker(), 10_000).jobs] == jobs[::-1]
    assert len(asked) == 2
    assert [job.job for job in ask_newest(Asker(), MOST_JOBS + 2).jobs] == jobs[: -MOST_JOBS - 3 : -1]
    asked.clear()
    answer = ask_status(Asker(), [*jobs, "job-of-nobody"])
    assert ([job.job for job in answer.jobs], answer.unknown) == (jobs, ("job-of-nobody",))
    assert max(len(question.jobs) for question in asked) == MOST_JOBS


def test_a_question_after_more_jobs_than_an_answer_holds_is_refused(lone: LoneCoordinator) -> None:
    jobs = tuple(f"job-{number}" for number in range(MOST_JOBS + 1))
    (refused,) = lone.ask(StatusQuery(jobs=jobs))
    assert isinstance(refused, Refused)
    (answer,) = lone.ask(StatusQuery(limit=2**40))
    assert isinstance(answer, StatusReport)
