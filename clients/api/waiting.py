"""Waiting for the end of a job, on behalf of a program that waits for an answer.

A program that goes away costs nothing: the job goes on, and whoever asks again for the same gets its answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from starlette.requests import Request

from clients.api.answers import HttpProblem
from clients.api.served import ask
from protocol.errors import NotRunningError, error_from_info
from protocol.job_changes import ResumeJobs
from protocol.messages import JobReport, StatusQuery, StatusReport, Submit, Submitted

__all__ = ["PATIENCE_S", "Gone", "ask_patiently", "begin", "ended", "looks", "refuse_unfinished"]

PATIENCE_S = 60.0
"""So long the coordinator may be away: it is restarted within seconds."""
_LOOK_S = 0.3
_MOST_LOOK_S = 1.0
_LOOK_SHARE = 0.05
"""The longer a job takes, the later its end may be seen."""
_LEAST_LOOK_S = 0.05
_STOPPED = ("failed", "cancelled", "held")


class Gone(HttpProblem):
    """Nobody waits for the answer any more."""

    def __init__(self) -> None:
        super().__init__(400, "The sender went away.")


async def ask_patiently(request: Request, question: Any, patience_s: float, *, stay: bool = False) -> Any:
    """Return the coordinator's answer; while it is away, ask again, for so long.

    `stay`: even where the sender does not wait any more.
    """
    loop = asyncio.get_running_loop()
    until_s = loop.time() + patience_s
    while True:
        try:
            return await ask(request, question)
        except NotRunningError:
            if loop.time() > until_s:
                raise
        if not stay and await request.is_disconnected():
            raise Gone
        await asyncio.sleep(_LOOK_S)


async def begin(request: Request, submission: Submit, patience_s: float = PATIENCE_S) -> str:
    """Return the job of this submission: a new one, or the one that there is. One that stopped goes on."""
    submitted: Submitted = await ask_patiently(request, submission, patience_s)
    job = await _look(request, submitted.job, patience_s)
    if job.state in _STOPPED:
        await ask_patiently(request, ResumeJobs(jobs=(job.job,)), patience_s)
    return submitted.job


async def ended(request: Request, job: str, patience_s: float = PATIENCE_S) -> JobReport:
    """Wait for the end, and return the job if it is done; its error is raised where it failed."""
    async for report in looks(request, job, patience_s):
        if report.state == "done":
            return report
        refuse_unfinished(report)
    raise AssertionError  # the looks end with the job


async def looks(request: Request, job: str, patience_s: float = PATIENCE_S) -> AsyncIterator[JobReport]:
    """Yield the job as it is, again and again, up to its end; raise `Gone` where nobody waits."""
    loop = asyncio.get_running_loop()
    begun_s = loop.time()
    while True:
        report = await _look(request, job, patience_s)
        yield report
        if report.state in ("done", *_STOPPED):
            return
        if await request.is_disconnected():
            raise Gone
        share_s = _LOOK_SHARE * (loop.time() - begun_s)
        await asyncio.sleep(min(_MOST_LOOK_S, max(_LEAST_LOOK_S, share_s)))


async def _look(request: Request, job: str, patience_s: float) -> JobReport:
    answer: StatusReport = await ask_patiently(request, StatusQuery(jobs=(job,)), patience_s)
    if not answer.jobs:
        raise HttpProblem(410, "The job was removed meanwhile.", "Send the file again.", code="job_removed")
    return answer.jobs[0]


def refuse_unfinished(job: JobReport) -> None:
    """Raise what stopped the job; nothing where it still goes on or is done."""
    if job.state not in _STOPPED:
        return
    if job.error is not None:
        raise error_from_info(job.error)
    if job.state == "held":
        why = " ".join(job.notes) or "The job is held."
        raise HttpProblem(507, why, "Make room; send the file again to go on.", code="job_held")
    text = f"The job {job.job} was {job.state}."
    raise HttpProblem(410, text, "Send the file again to go on.", code=f"job_{job.state}")
