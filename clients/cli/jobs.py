"""Ordering what becomes of jobs that exist: cancel, resume, retry, prune."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from clients.desk import Desk
from clients.screen.text import count
from clients.supervisor import why_silent
from protocol.errors import ExitCode, NotRunningError, UsageError
from protocol.job_changes import CancelJobs, Changed, JobChange, Pruned, PruneJobs, ResumeJobs, RetryJob
from protocol.wording import size

__all__ = ["cancel", "parse_age", "prune", "resume", "retry"]

_ASK_MS = 30_000
_AGE = re.compile(r"(\d{1,6})(d|h|min|s)")
_UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000, "s": 1_000}
_PRUNABLE = ("done", "failed", "cancelled")


def cancel(desk: Desk, jobs: tuple[str, ...], *, as_json: bool) -> ExitCode:
    """Stop jobs."""
    answer = _ask(desk, CancelJobs(jobs=jobs))
    return _tell(desk, answer, _cancelled, as_json=as_json)


def resume(desk: Desk, jobs: tuple[str, ...], *, everything: bool, as_json: bool) -> ExitCode:
    """Go on with jobs, or with all that failed or are held."""
    if everything == bool(jobs):
        raise UsageError("Name the jobs to go on with, or write --all.", "Jobs are listed by: cpw status")
    answer: Changed = _ask(desk, ResumeJobs(jobs=jobs, everything=everything))
    if everything and not answer.jobs and not as_json:
        desk.report.line("no job has failed and none is held")
    return _tell(desk, answer, _resumed, as_json=as_json)


def retry(desk: Desk, job: str, stage: str, *, as_json: bool) -> ExitCode:
    """Do a stage and what depends on it again."""
    answer = _ask(desk, RetryJob(job=job, stage=stage))
    return _tell(desk, answer, _resumed, as_json=as_json)


def _ask(desk: Desk, order: Any) -> Any:
    try:
        with desk.connect(desk.runtime) as asker:
            return asker.ask(order, timeout_ms=_ASK_MS)
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error


def _tell(desk: Desk, answer: Changed, words: Callable[[JobChange], str], *, as_json: bool) -> ExitCode:
    if as_json:
        desk.report.json({"jobs": answer.jobs, "unknown": answer.unknown})
    else:
        desk.report.lines([f"{job.job}: {words(job)}" for job in answer.jobs])
    for job in answer.unknown:
        desk.report.error(f"There is no job {job!r}.", "Jobs are listed by: cpw status")
    return ExitCode.USAGE if answer.unknown else ExitCode.DONE


def _cancelled(change: JobChange) -> str:
    if not change.steps:
        return f"has ended already: {change.was}"
    return f"cancelled; to go on with it: cpw resume {change.job}"


def _resumed(change: JobChange) -> str:
    if change.steps:
        return f"goes on with {', '.join(change.steps)}"
    if change.was == "held":
        return "goes on"
    return f"nothing to resume: it is {change.state}"


def parse_age(text: str) -> int:
    """Return milliseconds from `30d`, `12h`, `90min` or `0s`."""
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"--older-than {text!r} is not an age.", "Write 30d, 12h, 90min or 0s.")
    return int(found[1]) * _UNIT_MS[found[2]]


def prune(desk: Desk, older_than: str, states: str, *, dry_run: bool, as_json: bool) -> ExitCode:
    """Remove jobs that ended long ago, in portions; say how many and how much room that makes."""
    wanted = tuple(dict.fromkeys(part.strip() for part in states.split(",") if part.strip()))
    if not wanted or not set(wanted) <= set(_PRUNABLE):
        raise UsageError(
            f"--state {states!r} is not of {', '.join(_PRUNABLE)}.", "A job that is under way is kept."
        )
    age_ms = parse_age(older_than)
    jobs: list[str] = []
    kept: list[str] = []
    size_bytes, last, more = 0, 0, True
    while more:
        order = PruneJobs(older_than_ms=age_ms, states=wanted, dry_run=dry_run, after=last)
        answer: Pruned = _ask(desk, order)
        jobs += answer.jobs
        kept += answer.kept
        size_bytes += answer.size_bytes
        last, more = answer.last, answer.more
    if as_json:
        desk.report.json({"jobs": jobs, "size_bytes": size_bytes, "kept": kept, "dry_run": dry_run})
    else:
        verb = "would be removed" if dry_run else "removed"
        desk.report.line(f"{count(len(jobs), 'job')} {verb}, {size(size_bytes) or '0 MB'}")
    for problem in kept:
        desk.report.error(problem, "Mend the folder's permissions, then say it again.")
    return ExitCode.JOB_FAILED if kept else ExitCode.DONE
