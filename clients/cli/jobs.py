"""`cpw cancel`, `resume`, `retry`, `jobs prune`: changing jobs that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import click

from clients.asking import ask_coordinator, no_such_job
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.screen.text import count
from clients.settings import parse_settings
from protocol.clock import parse_age_ms
from protocol.errors import ExitCode, UsageError
from protocol.job_changes import CancelJobs, Changed, JobChange, Pruned, PruneJobs, ResumeJobs, RetryJob
from protocol.wording import size

__all__ = ["cancel", "jobs", "parse_age", "prune", "resume", "retry"]

_ASK_MS = 30_000
_PRUNABLE = ("done", "failed", "cancelled")


@click.command(context_settings=CONTEXT)
@click.argument("names", metavar="JOB...", nargs=-1, required=True)
@json_option
@pass_desk
def cancel(desk: Desk, names: tuple[str, ...], *, as_json: bool) -> ExitCode:
    """Stop jobs, keeping their finished steps for cpw resume."""
    answer = ask_coordinator(desk, CancelJobs(jobs=names), timeout_ms=_ASK_MS)
    return _show(desk, answer, _cancelled, as_json=as_json)


@click.command(context_settings=CONTEXT)
@click.argument("names", metavar="JOB...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every failed or held job.")
@json_option
@pass_desk
def resume(desk: Desk, names: tuple[str, ...], *, everything: bool, as_json: bool) -> ExitCode:
    """Continue failed, cancelled or held jobs.

    Finished steps are not done again.
    """
    if everything == bool(names):
        raise UsageError("Name the jobs to resume, or write --all.", "cpw status")
    request = ResumeJobs(jobs=names, everything=everything)
    answer: Changed = ask_coordinator(desk, request, timeout_ms=_ASK_MS)
    if everything and not answer.jobs and not as_json:
        desk.report.line("no job has failed and none is held")
    return _show(desk, answer, _resumed, as_json=as_json)


@click.command(context_settings=CONTEXT)
@click.argument("job")
@click.option(
    "--from",
    "stage",
    metavar="STAGE",
    required=True,
    help="A stage such as asr, or a step such as translate-en.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="STAGE.FIELD=VALUE",
    help="Change a setting of the job, for example asr.model=small.",
)
@json_option
@pass_desk
def retry(desk: Desk, job: str, stage: str, settings: tuple[str, ...], *, as_json: bool) -> ExitCode:
    """Do a stage of a job again, and everything that depends on it."""
    request = RetryJob(job=job, stage=stage, parameters=parse_settings(settings))
    answer = ask_coordinator(desk, request, timeout_ms=_ASK_MS)
    return _show(desk, answer, _resumed, as_json=as_json)


def _show(desk: Desk, answer: Changed, words: Callable[[JobChange], str], *, as_json: bool) -> ExitCode:
    if as_json:
        desk.report.json({"jobs": answer.jobs, "unknown": answer.unknown})
    else:
        desk.report.lines([f"{job.job}: {words(job)}" for job in answer.jobs])
    for name in answer.unknown:
        error = no_such_job(name)
        desk.report.error(error.message, error.remedy)
    return ExitCode.USAGE if answer.unknown else ExitCode.DONE


def _cancelled(change: JobChange) -> str:
    if not change.steps:
        return f"had already ended: {change.was}"
    return f"cancelled; to continue it: cpw resume {change.job}"


def _resumed(change: JobChange) -> str:
    if change.steps:
        return f"continues with {', '.join(change.steps)}"
    if change.was == "held":
        return "continues"
    return f"nothing to resume: it is {change.state}"


def parse_age(text: str) -> int:
    """Return milliseconds from `30d`, `12h`, `90min` or `0s`."""
    age_ms = parse_age_ms(text)
    if age_ms is None:
        raise UsageError(f"--older-than {text!r} is not an age.", "Write 30d, 12h, 90min or 0s.")
    return age_ms


@click.group(context_settings=CONTEXT)
def jobs() -> None:
    """Clean up old jobs."""


@jobs.command(context_settings=CONTEXT)
@click.option(
    "--older-than",
    default="30d",
    show_default=True,
    metavar="AGE",
    help="Time since they ended, for example 30d or 12h.",
)
@click.option(
    "--state",
    "states",
    default="done,failed,cancelled",
    show_default=True,
    metavar="STATE,...",
    help="Their states.",
)
@click.option("--dry-run", is_flag=True, help="Only show what would be removed.")
@json_option
@pass_desk
def prune(desk: Desk, older_than: str, states: str, *, dry_run: bool, as_json: bool) -> ExitCode:
    """Remove jobs that have ended, and their folders.

    Jobs that are waiting or running are never removed.
    """
    request = PruneJobs(older_than_ms=parse_age(older_than), states=_read_states(states), dry_run=dry_run)
    pruned = _prune(desk, request)
    if as_json:
        desk.report.json(
            {"jobs": pruned.jobs, "size_bytes": pruned.size_bytes, "kept": pruned.kept, "dry_run": dry_run}
        )
    else:
        verb = "would be removed" if dry_run else "removed"
        desk.report.line(f"{count(len(pruned.jobs), 'job')} {verb}, {size(pruned.size_bytes) or '0 MB'}")
    for problem in pruned.kept:
        desk.report.error(problem, "Change the folder's permissions, then run this command again.")
    return ExitCode.JOB_FAILED if pruned.kept else ExitCode.DONE


def _read_states(written: str) -> tuple[str, ...]:
    states = tuple(dict.fromkeys(part.strip() for part in written.split(",") if part.strip()))
    if not states or not set(states) <= set(_PRUNABLE):
        raise UsageError(
            f"--state {written!r} is not one of {', '.join(_PRUNABLE)}.",
            "Only jobs that have ended can be removed.",
        )
    return states


def _prune(desk: Desk, request: PruneJobs) -> Pruned:
    """Send the request until nothing is left to remove; one answer covers some of the jobs only."""
    whole = Pruned(jobs=(), size_bytes=0, more=True)
    while whole.more:
        part: Pruned = ask_coordinator(desk, replace(request, after=whole.last), timeout_ms=_ASK_MS)
        whole = replace(
            part,
            jobs=(*whole.jobs, *part.jobs),
            kept=(*whole.kept, *part.kept),
            size_bytes=whole.size_bytes + part.size_bytes,
        )
    return whole
