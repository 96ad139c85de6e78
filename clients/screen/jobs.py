"""What is shown of jobs, as tables and sentences. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from clients.screen.table import Column, Table
from clients.screen.text import age, at_node, count, duration, film_labels, percent, rough
from protocol.clock import parse_iso_ms
from protocol.errors import ErrorInfo, ErrorKind, ExitCode
from protocol.languages import language_name
from protocol.messages import JobReport, StatusReport, StepReport
from protocol.timeline import UNDETERMINED

__all__ = [
    "FINISHED",
    "all_left",
    "batch_left",
    "exit_code",
    "first_cues",
    "job_error",
    "job_lines",
    "job_sentence",
    "language_sentence",
    "live_table",
    "stage_words",
    "status_table",
    "step_changes",
    "steps_table",
    "summary_table",
]

FINISHED = frozenset({"done", "failed", "cancelled", "held"})
"""States of jobs that do not continue by themselves; a held job waits for a person."""

_FEW_ROWS = 2
"""On so small a screen the films have all lines."""
_PENDING = frozenset({"waiting", "ready"})
_TIMING = re.compile(r"\d{1,3}:\d\d:\d\d[,.]\d{3} --> \d{1,3}:\d\d:\d\d[,.]\d{3}")


def stage_words(job: JobReport) -> str:
    """Return where the job is: its running steps, what it waits for, or the step that failed."""
    if job.state == "failed":
        return ", ".join(at_node(step.name, step.node) for step in job.steps if step.state == "failed")
    if job.state == "held":
        return ", ".join(step.name for step in job.steps if step.state in _PENDING and step.error)
    if job.state in FINISHED:
        return ""
    running = [_step_words(step) for step in job.steps if step.state == "running"]
    if running:
        return ", ".join(running)
    absent = next((step.waits_for for step in job.steps if step.waits_for), "")
    if absent:
        return f"waits for {absent}"
    waiting = next((step for step in job.steps if step.state in _PENDING), None)
    return f"waits for {waiting.name}" if waiting and job.state == "running" else ""


def _step_words(step: StepReport) -> str:
    place = at_node(step.name, step.node)
    return f"{place} (attempt {step.attempt})" if step.attempt > 1 else place


def status_table(jobs: Sequence[JobReport], now: float) -> Table:
    """Return one row for each job."""
    steps = [step for job in jobs for step in job.steps if step.state == "running"]
    # Where a step is done is not cut off: other columns go first.
    place = max((len(at_node("", step.node)) for step in steps), default=0)
    columns = (
        Column(title="job"),
        Column(title="workflow", drop=3),
        Column(title="state", styled=True),
        Column(title="stage", least=10 + place),
        Column(title="done", right=True),
        Column(title="attempt", right=True, drop=2),
        Column(title="running for", right=True, drop=5),
        Column(title="worker", drop=6),
        Column(title="age", right=True, drop=4),
        Column(title="elapsed", right=True),
        Column(title="left", right=True, drop=1),
        Column(title="film", least=14),
    )
    labels = film_labels([job.media for job in jobs])
    rows = tuple(
        (
            job.job,
            job.workflow,
            job.state,
            stage_words(job),
            percent(1.0 if job.state == "done" else job.fraction),
            _attempts(job),
            ", ".join(duration(step.running_ms) for step in job.steps if step.running_ms is not None),
            ", ".join(step.environment for step in job.steps if step.state == "running"),
            age(now - parse_iso_ms(job.created_at) / 1000),
            duration(job.elapsed_ms),
            _left(job),
            label,
        )
        for job, label in zip(jobs, labels, strict=True)
    )
    return Table(columns=columns, rows=rows)


def _left(job: JobReport) -> str:
    """Return `3.5 min`; nothing where the job has ended, waits for a person, or its time is not known."""
    return "" if job.state in FINISHED or job.left_ms is None else rough(job.left_ms)


def batch_left(jobs: Sequence[JobReport]) -> str:
    """Return `12 min left` until the last of several jobs ends; nothing where that is not known.

    Of one job nothing is returned either. A job's own time already counts that it waits for others.
    """
    going = [job.left_ms for job in jobs if job.state not in FINISHED]
    known = [left_ms for left_ms in going if left_ms is not None]
    return f"{rough(max(known))} left" if len(known) == len(going) > 1 else ""


def all_left(report: StatusReport) -> str:
    """Return how long until every job has ended; nothing for one job alone or where it is not known."""
    going = [job for job in report.jobs if job.state in ("queued", "running")]
    alone = len(going) < 2 and (not going or going[0].left_ms == report.left_ms)
    return "" if alone or not report.left_ms else f"all jobs: about {rough(report.left_ms)} left"


def _attempts(job: JobReport) -> str:
    shown = [step for step in job.steps if step.state in ("running", "failed")] or job.steps
    highest = max((step.attempt for step in shown), default=0)
    return str(highest) if highest else ""


def steps_table(job: JobReport) -> Table:
    """Return one row for each step of the job."""
    columns = (
        Column(title="step"),
        Column(title="environment"),
        Column(title="state", styled=True),
        Column(title="done", right=True),
        Column(title="attempt", right=True),
        Column(title="time", right=True),
        Column(title="note", least=10, drop=1),
    )
    rows = tuple(
        (
            step.name,
            at_node(step.environment, step.node),
            step.state,
            "" if step.state == "skipped" else percent(1.0 if step.state == "done" else step.fraction),
            str(step.attempt) if step.attempt else "",
            duration(step.duration_ms),
            step.note,
        )
        for step in job.steps
    )
    return Table(columns=columns, rows=rows)


def job_error(job: JobReport) -> ErrorInfo | None:
    """Return why the job failed: its own error, else that of its first failed step."""
    if job.error is not None:
        return job.error
    return next((step.error for step in job.steps if step.error is not None and step.state == "failed"), None)


def job_sentence(job: JobReport, label: str, *, reason: bool = False) -> str:
    """Return how the job ended, in one line."""
    if job.state == "done":
        return f"{label}: done in {duration(job.elapsed_ms)}"
    error = job_error(job) if reason else None
    where = stage_words(job)
    why = f": {error.message}" if error else ""
    return f"{label}: {job.state}{f' in {where}' if where else ''} after {duration(job.elapsed_ms)}{why}"


def language_sentence(job: JobReport) -> str:
    """Return `source language: German (0.98)`; nothing where it is not known yet."""
    if job.language is None:
        return ""
    name = "not recognised" if job.language == UNDETERMINED else language_name(job.language)
    sure = "" if job.language_probability is None else f" ({job.language_probability:.2f})"
    return f"source language: {name}{sure}"


def step_changes(before: JobReport | None, after: JobReport, label: str) -> list[str]:
    """Return a line for every stage that started or ended between two looks, and for the job's end."""
    known: Mapping[str, StepReport] = {step.name: step for step in before.steps} if before else {}
    lines: list[str] = []
    for step in after.steps:
        change = _step_change(known.get(step.name), step)
        if change:
            lines.append(f"{label}: {change}")
    if after.state in FINISHED and (before is None or before.state not in FINISHED):
        lines.append(job_sentence(after, label))
    return lines


def _step_change(before: StepReport | None, after: StepReport) -> str:
    was = before.state if before else "waiting"
    retried = before is not None and before.attempt != after.attempt and after.state == "running"
    if not retried and (was == after.state or {was, after.state} <= _PENDING):
        return ""
    if after.state in _PENDING:
        why = after.error.message if after.error else after.note
        return f"{after.name} will be tried again{f': {why}' if why else ''}"
    if after.state == "running":
        return f"{_step_words(after)} started"
    took = f" in {duration(after.duration_ms)}" if after.duration_ms is not None else ""
    # A note begins with its step, because it is also shown with the job.
    why = after.error.message if after.error else after.note.removeprefix(f"{after.name}: ")
    return f"{at_node(after.name, after.node)} {after.state}{took}{f': {why}' if why else ''}"


def job_lines(job: JobReport, cues: Sequence[str], said: Sequence[str] = ()) -> list[str]:
    """Return what is shown of a job that ended: language, notes, outputs, first cues."""
    notes = dict.fromkeys((*said, *job.notes))
    lines = [language_sentence(job), *(f"note: {note}" for note in notes), *job.outputs]
    if cues:
        lines += ["first lines:", *(f"  {cue}" for cue in cues)]
    return [line for line in lines if line]


def live_table(jobs: Sequence[JobReport], labels: Sequence[str], rows: int, marks: str = "━─") -> Table:
    """Return a line with a bar for each unfinished film, at most `rows` lines; the running ones first."""
    order = {"running": 0, "queued": 1}
    pairs = [pair for pair in zip(jobs, labels, strict=True) if pair[0].state in order]
    pairs.sort(key=lambda pair: order[pair[0].state])
    batch = batch_left([job for job, _ in pairs]) if rows > _FEW_ROWS else ""
    room = max(1, rows - bool(batch))
    shown = pairs if len(pairs) <= room else pairs[: max(1, room - 1)]
    lines = [
        (
            _bar(job.fraction, marks),
            percent(job.fraction),
            duration(job.elapsed_ms) if job.state == "running" else "",
            f"{left} left" if (left := _left(job)) else "",
            stage_words(job) or job.state,
            label,
        )
        for job, label in shown
    ]
    if len(shown) < len(pairs):
        lines.append(("", "", "", "", "", f"and {count(len(pairs) - len(shown), 'more film')}"))
    if batch:
        lines.append(("", "", "", batch, "", f"{len(pairs)} films to go"))
    columns = (
        Column(title="", drop=2),
        Column(title="", right=True),
        Column(title="", right=True),
        Column(title="", drop=1),
        Column(title="", least=12),
        Column(title="", least=14),
    )
    return Table(columns=columns, rows=tuple(lines))


def _bar(fraction: float, marks: str, cells: int = 20) -> str:
    filled = round(min(1.0, max(0.0, fraction)) * cells)
    return marks[0] * filled + marks[1] * (cells - filled)


def summary_table(jobs: Sequence[JobReport]) -> Table:
    """Return how each of several films ended."""
    columns = (
        Column(title="state", styled=True),
        Column(title="time", right=True),
        Column(title="film", least=14),
        Column(title="reason", least=20, drop=1),
    )
    labels = film_labels([job.media for job in jobs])
    rows = tuple(
        (job.state, duration(job.elapsed_ms), label, error.message if (error := job_error(job)) else "")
        for job, label in zip(jobs, labels, strict=True)
    )
    return Table(columns=columns, rows=rows)


def exit_code(jobs: Sequence[JobReport]) -> ExitCode:
    """Return the exit code of a submission of these jobs."""
    errors = [job_error(job) for job in jobs if job.state != "done"]
    if not errors:
        return ExitCode.DONE
    if all(error is not None and error.kind is ErrorKind.MISSING for error in errors):
        return ExitCode.MISSING
    return ExitCode.JOB_FAILED


def first_cues(srt: str, limit: int = 3) -> list[str]:
    """Return the first cues of an SRT file, one line each."""
    found: list[str] = []
    for block in re.split(r"\n\s*\n", srt.replace("\r\n", "\n")):
        lines = [part.strip() for part in block.strip().split("\n")]
        start = next((i for i, line in enumerate(lines) if _TIMING.match(line)), None)
        if start is not None:
            found.append(f"{lines[start]}  {' '.join(lines[start + 1 :])}".rstrip())
        if len(found) == limit:
            break
    return found
