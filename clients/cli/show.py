"""Showing what is: jobs, health, logs; and the environments while they come up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from clients.cli.follow import read_first_cues
from clients.cli.logs import Tails, environment_logs, is_job, job_logs, last_lines
from clients.desk import Desk
from clients.screen.machine import hardware_sentence
from clients.screen.report import Report
from clients.screen.table import Column, Table, lay_out
from clients.screen.views import (
    health_problems,
    health_sentence,
    health_table,
    job_error,
    job_lines,
    model_sentences,
    status_table,
    steps_table,
)
from clients.supervisor import (
    check_built,
    live_supervisor,
    path_advice,
    read_supervisor,
    start,
    stop,
    supervisor_log,
    wait_until_settled,
    why_silent,
)
from protocol.clock import now_iso, parse_iso_ms
from protocol.errors import ExitCode, NotRunningError
from protocol.messages import HealthQuery, HealthReport, JobReport, StatusQuery, StatusReport

__all__ = ["down", "health", "logs", "status", "up"]

_LOOK_SECONDS = 0.25
_LAST_WORDS = 12


def status(desk: Desk, jobs: tuple[str, ...], limit: int, *, as_json: bool) -> ExitCode:
    """Show these jobs, or the newest."""
    try:
        with desk.connect(desk.runtime) as asker:
            answer: StatusReport = asker.ask(StatusQuery(jobs=jobs, limit=limit))
    except NotRunningError as error:
        raise why_silent(desk.runtime) from error
    if as_json:
        desk.report.json({"jobs": answer.jobs, "unknown": answer.unknown})
    elif answer.jobs:
        desk.report.table(status_table(answer.jobs, _now()))
        if len(jobs) == 1:
            _show_job(desk.report, answer.jobs[0])
    elif not answer.unknown:
        desk.report.line("no jobs yet; submit one with: cpw-submit FILM --workflow transcribe")
    for job in answer.unknown:
        desk.report.error(f"There is no job {job!r}.", "Jobs are listed by: cpw status")
    return ExitCode.USAGE if answer.unknown else ExitCode.DONE


def _now() -> float:
    return parse_iso_ms(now_iso()) / 1000


def _show_job(report: Report, job: JobReport) -> None:
    report.line("")
    report.table(steps_table(job), indent="  ")
    report.line("")
    report.lines([job.media, f"job folder: {job.directory}"], indent="  ")
    report.lines(job_lines(job, read_first_cues(job.outputs)), indent="  ")
    errors = dict.fromkeys(
        (f"{step.name}: {step.error.message}", step.error.remedy) for step in job.steps if step.error
    )
    told = {step.error.message for step in job.steps if step.error}
    whole = job_error(job)
    if whole is not None and whole.message not in told:
        errors[whole.message, whole.remedy] = None
    for message, remedy in errors:
        report.error(message, remedy)


def health(desk: Desk, *, as_json: bool) -> ExitCode:
    """Show every environment's truth, or why nobody can tell it."""
    try:
        with desk.connect(desk.runtime) as asker:
            answer: HealthReport = asker.ask(HealthQuery())
    except NotRunningError as error:
        problem = why_silent(desk.runtime)
        if not as_json:
            _show_supervisor(desk)
            raise problem from error
        supervisor = live_supervisor(desk.runtime)
        desk.report.json(
            {"healthy": False, "problem": problem.message, "remedy": problem.remedy, "supervisor": supervisor}
        )
        return ExitCode.NOT_RUNNING
    if as_json:
        desk.report.json(vars(answer))
    else:
        _show_health(desk.report, answer)
    return ExitCode.DONE if answer.healthy else ExitCode.NOT_RUNNING


def _show_health(report: Report, answer: HealthReport) -> None:
    now = _now()
    report.line(health_sentence(answer, now), "good" if answer.healthy else "bad")
    if answer.hardware is not None:
        report.line(f"hardware: {hardware_sentence(answer.hardware)}")
    table = health_table(answer, now)
    report.table(table)
    if not report.fits(table):
        report.lines(model_sentences(answer))
    for notice in answer.notices:
        report.error(notice, "It is said until that file is gone: look at it, then remove it.")
    for message, remedy in health_problems(answer):
        report.error(message, remedy)


def _show_supervisor(desk: Desk) -> None:
    """Show what the supervisor wrote of its children: better than nothing while nobody answers."""
    state = live_supervisor(desk.runtime)
    if state is not None and state.children:
        columns = (
            Column(title="process"),
            Column(title="state", styled=True),
            Column(title="problem", least=20),
        )
        rows = tuple((name, child.state, child.problem) for name, child in state.children.items())
        desk.report.table(Table(columns=columns, rows=rows))


def logs(desk: Desk, name: str, limit: int, *, follow: bool) -> ExitCode:
    """Show the last lines of a log, and with `follow` what is added to it."""
    if is_job(name):
        with desk.connect(desk.runtime) as asker:
            found = job_logs(asker, desk.out, name)
        folder = found[0].parent if found else None
        tails = Tails(lambda: sorted(folder.glob("*.log")) if folder else [])
    else:
        found = environment_logs(desk.home, name)
        tails = Tails(lambda: found)
    if not any(path.is_file() for path in found):
        desk.report.remark(f"{name} has written no log yet")
    tails.skip()
    shown: Path | None = None
    for path in found:
        lines = last_lines(path, limit, tails.known[path].position)
        shown = _show_log(desk.report, path, lines, shown, several=len(found) > 1)
    while follow:
        for path, lines in tails.read():
            shown = _show_log(desk.report, path, lines, shown, several=len(tails.known) > 1)
        desk.pause(_LOOK_SECONDS)
    return ExitCode.DONE


def _show_log(
    report: Report, path: Path, lines: list[str], shown: Path | None, *, several: bool
) -> Path | None:
    if several and lines and path != shown:
        report.line(f"==> {path.stem} <==", "title")
    report.lines(lines)
    return path if lines else shown


def up(desk: Desk, seconds: float) -> ExitCode:
    """Start everything, wait until it is ready, and show how it is."""
    check_built(desk.home)
    running = live_supervisor(desk.runtime)
    if running is not None and running.state == "stopping":
        raise why_silent(desk.runtime)
    process = None if running is not None else start(desk)
    if running is not None:
        desk.report.line(f"the supervisor runs already, process {running.pid}")
    try:
        with desk.connect(desk.runtime) as asker, _states_shown(desk.report) as show:
            answer = wait_until_settled(desk, asker, process, seconds, show)
    except NotRunningError:
        for line in last_lines(supervisor_log(desk.home), _LAST_WORDS):
            desk.report.remark(f"  {line}")
        raise
    except KeyboardInterrupt:
        desk.report.remark("the start goes on; watch with: cpw health")
        return ExitCode.INTERRUPTED
    if answer is None:
        raise why_silent(desk.runtime)
    _show_health(desk.report, answer)
    advice = path_advice(desk.home)
    if advice:
        desk.report.lines(["to have cpw-submit in this shell:", f"  {advice}"])
    return _code_of_health(answer)


def _code_of_health(answer: HealthReport) -> ExitCode:
    if answer.healthy:
        return ExitCode.DONE
    missing = any(
        environment.state == "not built" and not environment.optional for environment in answer.environments
    )
    return ExitCode.MISSING if missing else ExitCode.NOT_RUNNING


@contextmanager
def _states_shown(report: Report) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Show environments and their states: as they change on a terminal, a line for each change elsewhere."""
    last: dict[str, str] = {}

    def lines(states: Mapping[str, str]) -> None:
        for name, state in states.items():
            if last.get(name) != state:
                last[name] = state
                report.line(f"{name}: {state}")

    if not report.interactive:
        yield lines
        return
    columns = (Column(title="environment"), Column(title="state", styled=True))
    with report.live() as live:
        yield lambda states: live.update(
            lay_out(Table(columns=columns, rows=tuple(states.items())), report.columns)
        )


def down(desk: Desk, seconds: float) -> ExitCode:
    """Stop everything."""
    state = read_supervisor(desk.runtime)
    if state is not None and live_supervisor(desk.runtime) is not None:
        desk.report.line(f"stopping the supervisor, process {state.pid} ...")
    end = stop(desk, seconds)
    if end == "killed":
        desk.report.remark(f"it did not end within {seconds:.0f} s and was killed; its jobs are kept")
    desk.report.line("not running" if end == "not running" else "stopped")
    return ExitCode.DONE
