"""Asking the coordinator one question, and finding out why nobody answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from clients.desk import Asker, Desk
from clients.supervisor import live_supervisor
from envspecs.cluster.asked import why_on_node
from protocol.errors import NotRunningError, UsageError
from protocol.jobs.status import MOST_JOBS
from protocol.messages import StatusQuery, StatusReport
from protocol.supervisor import COORDINATOR

__all__ = ["ask_coordinator", "ask_newest", "ask_status", "no_such_job", "why_silent"]


def ask_coordinator(desk: Desk, question: Any, *, timeout_ms: int | None = None) -> Any:
    """Send the question and return the answer; `NotRunningError` says why there is none."""
    try:
        with desk.connect(desk.runtime) as asker:
            return asker.ask(question, timeout_ms=timeout_ms)
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error


def ask_newest(asker: Asker, limit: int, before: str = "") -> StatusReport:
    """Ask for the newest `limit` jobs, in portions: the coordinator has other work between two of them.

    With `before`, those that were submitted before that job.
    """
    answer: StatusReport = asker.ask(StatusQuery(limit=limit, before=before))
    found = portion = answer.jobs
    while len(portion) == MOST_JOBS and len(found) < limit:
        older = StatusQuery(limit=limit - len(found), before=portion[-1].job)
        portion = asker.ask(older).jobs
        found += portion
    return replace(answer, jobs=found)


def ask_status(asker: Asker, jobs: Sequence[str], *, timeout_ms: int | None = None) -> StatusReport:
    """Ask for these jobs, in portions; nothing is asked where there are none."""
    found = StatusReport(jobs=())
    for start in range(0, len(jobs), MOST_JOBS):
        question = StatusQuery(jobs=tuple(jobs[start : start + MOST_JOBS]))
        answer: StatusReport = asker.ask(question, timeout_ms=timeout_ms)
        found = replace(answer, jobs=(*found.jobs, *answer.jobs), unknown=(*found.unknown, *answer.unknown))
    return found


def why_silent(runtime: Path) -> NotRunningError:
    """Return why the coordinator does not answer, as far as the supervisor's file tells."""
    if (on_node := why_on_node()) is not None:
        return on_node
    state = live_supervisor(runtime)
    if state is None:
        return NotRunningError("Nothing is running.", "make up")
    if state.state == "stopping":
        return NotRunningError("The supervisor is stopping.", "Wait a moment, then: make up")
    coordinator = state.children.get(COORDINATOR)
    message = "The supervisor runs but the coordinator does not answer"
    if coordinator is None:
        return NotRunningError(f"{message}.", "cpw logs coordinator")
    problem = f": {coordinator.problem}" if coordinator.problem else f" (it is {coordinator.state})."
    return NotRunningError(message + problem, coordinator.remedy or "cpw logs coordinator")


def no_such_job(job: str) -> UsageError:
    """Return the error that a job's name is wrong."""
    return UsageError(f"There is no job {job!r}.", "cpw status")
