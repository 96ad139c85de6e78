"""`cpw status`: a table of jobs; of one job its steps, outputs and errors too."""

from __future__ import annotations

from collections.abc import Sequence

import click

from clients.asking import ask_newest, ask_status, no_such_job, why_silent
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.job_folder import read_first_cues
from clients.screen.jobs import all_left, job_error, job_lines, status_table, steps_table
from clients.screen.report import Report
from protocol.clock import now_ms
from protocol.errors import ExitCode, NotRunningError
from protocol.messages import JobReport, StatusReport

__all__ = ["status"]


@click.command(context_settings=CONTEXT)
@click.argument("jobs", metavar="[JOB]...", nargs=-1)
@click.option(
    "-n",
    "limit",
    metavar="N",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    help="Newest N jobs.",
)
@json_option
@pass_desk
def status(desk: Desk, jobs: tuple[str, ...], limit: int, *, as_json: bool) -> ExitCode:
    """Show jobs, or one job with its steps."""
    answer = _ask(desk, jobs, limit)
    if as_json:
        desk.report.json({"jobs": answer.jobs, "unknown": answer.unknown, "left_ms": answer.left_ms})
    elif answer.jobs:
        desk.report.table(status_table(answer.jobs, now_ms() / 1000))
        if left := all_left(answer):
            desk.report.line(left)
        if len(jobs) == 1:
            _show_job(desk.report, answer.jobs[0])
    elif not answer.unknown:
        desk.report.line("no jobs yet; submit one with: cpw-submit FILM --workflow transcribe")
    for job in answer.unknown:
        error = no_such_job(job)
        desk.report.error(error.message, error.remedy)
    return ExitCode.USAGE if answer.unknown else ExitCode.DONE


def _ask(desk: Desk, jobs: Sequence[str], limit: int) -> StatusReport:
    try:
        with desk.connect(desk.runtime) as asker:
            return ask_status(asker, jobs) if jobs else ask_newest(asker, limit)
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error


def _show_job(report: Report, job: JobReport) -> None:
    report.line("")
    report.table(steps_table(job), indent="  ")
    report.line("")
    report.lines([job.media, f"job folder: {job.directory}"], indent="  ")
    report.lines(job_lines(job, read_first_cues(job.outputs)), indent="  ")
    for message, remedy in _errors(job):
        report.error(message, remedy)


def _errors(job: JobReport) -> list[tuple[str, str]]:
    """Return the errors of the steps, each once, and the job's own where no step has it."""
    failed = [(step.name, step.error) for step in job.steps if step.error]
    errors = dict.fromkeys((f"{name}: {error.message}", error.remedy) for name, error in failed)
    whole = job_error(job)
    if whole is not None and whole.message not in {error.message for _, error in failed}:
        errors[whole.message, whole.remedy] = None
    return list(errors)
