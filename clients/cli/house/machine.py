"""`cpw up`, `down`, `health`, `hardware`: start and stop what runs on this machine, show its state."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import click

from clients.asking import ask_coordinator, why_silent
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.cluster.here import cluster_here
from clients.cluster.waiting import GOES_ON, wait_for_ray
from clients.desk import Desk
from clients.log_files import last_lines
from clients.screen.health import health_problems, health_sentence, health_table, model_sentences
from clients.screen.machine import hardware_sentence, hardware_table
from clients.screen.nodes import node_sentences
from clients.screen.report import Report
from clients.screen.table import Column, Table, lay_out
from clients.setup_report import fetching_sentence, setup_sentences
from clients.supervisor import (
    check_built,
    live_supervisor,
    path_advice,
    run_in_foreground,
    running_supervisor,
    server_address,
    start,
    stop,
    supervisor_log,
    wait_until_up,
    with_supervisor,
)
from envspecs.cluster.settings import ClusterSettings
from envspecs.setup.defaults import is_off
from envspecs.setup.outlook import look
from protocol.clock import now_ms
from protocol.errors import CpwError, ExitCode, NotRunningError, UsageError
from protocol.messages import HealthQuery, HealthReport

__all__ = ["down", "hardware", "health", "start_everything", "up"]

_LAST_LINES = 12


@click.command(context_settings=CONTEXT)
@click.option(
    "--wait",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=180,
    show_default=True,
    help="How long to wait.",
)
@click.option("--foreground", is_flag=True, help="Stay here until Ctrl-C or SIGTERM; for a service manager.")
@pass_desk
def up(desk: Desk, seconds: float, *, foreground: bool) -> ExitCode:
    """Start everything and wait until it is ready."""
    if foreground:
        return _stay(desk)
    return start_everything(desk, seconds)


def _stay(desk: Desk) -> NoReturn:
    check_built(desk.home)
    if (running := running_supervisor(desk)) is not None:
        raise UsageError(f"The supervisor is already running, process {running.pid}.", "cpw down")
    desk.report.remark("Ctrl-C stops everything; jobs continue after the next start")
    run_in_foreground(desk)


def start_everything(desk: Desk, seconds: float) -> ExitCode:
    """Start everything, wait until it is ready, and show its state."""
    check_built(desk.home)
    cluster = cluster_here(desk.home)
    running = running_supervisor(desk)
    if running is not None and running.state == "stopping":
        raise why_silent(desk.runtime)
    process = None if running is not None else start(desk)
    if running is not None:
        desk.report.line(f"the supervisor is already running, process {running.pid}")
    if cluster.role == "node":
        return _wait_as_part(desk, cluster, seconds, process)
    answer = _wait(desk, process, seconds)
    if answer is None:
        return ExitCode.INTERRUPTED
    _show_health(desk.report, with_supervisor(desk, answer))
    _show_address(desk)
    _show_models(desk)
    if cluster.role == "head" and _wait_as_part(desk, cluster, seconds) == ExitCode.INTERRUPTED:
        return ExitCode.INTERRUPTED
    advice = path_advice(desk.home)
    if advice:
        desk.report.lines(["to use cpw-submit in this shell:", f"  {advice}"])
    return _code_of(answer)


def _wait(desk: Desk, process: subprocess.Popen[bytes] | None, seconds: float) -> HealthReport | None:
    """Wait for the coordinator and the workers; return None where a person ended that by Ctrl-C."""
    try:
        with desk.connect(desk.runtime) as asker, _states_shown(desk.report) as show:
            answer = wait_until_up(desk, asker, process, seconds, show)
    except NotRunningError:
        for line in last_lines(supervisor_log(desk.home), _LAST_LINES):
            desk.report.remark(f"  {line}")
        raise
    except KeyboardInterrupt:
        desk.report.remark("it is still starting; see: cpw health")
        return None
    if answer is None:
        raise why_silent(desk.runtime)
    return answer


def _wait_as_part(
    desk: Desk, cluster: ClusterSettings, seconds: float, process: subprocess.Popen[bytes] | None = None
) -> ExitCode:
    """Wait until the cluster has this machine, or a person ends that by Ctrl-C."""
    try:
        wait_for_ray(desk, cluster, seconds, process)
    except KeyboardInterrupt:
        desk.report.remark(GOES_ON)
        return ExitCode.INTERRUPTED
    part = "the head" if cluster.role == "head" else "a node"
    desk.report.line(f"this machine, {cluster.name}, is {part} of the cluster at {cluster.head}")
    return ExitCode.DONE


def _show_address(desk: Desk) -> None:
    if (address := server_address(desk)) is not None:
        desk.report.line(f"page for browsers: {address} (cpw web opens it)")


def _show_models(desk: Desk) -> None:
    """Say what better models are on their way for this machine, where any are."""
    if is_off(os.environ):
        return
    try:
        outlook = look()
    except CpwError as error:
        desk.report.error(error.message, error.remedy)
        return
    if outlook.missing:
        desk.report.lines(setup_sentences(outlook))
        desk.report.line(fetching_sentence(desk, outlook))


def _code_of(answer: HealthReport) -> ExitCode:
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


@click.command(context_settings=CONTEXT)
@click.option(
    "--wait",
    "seconds",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=30,
    show_default=True,
    help="How long to wait before it is killed.",
)
@pass_desk
def down(desk: Desk, seconds: float) -> ExitCode:
    """Stop everything; jobs continue after the next start."""
    if (state := running_supervisor(desk)) is not None:
        desk.report.line(f"stopping the supervisor, process {state.pid} ...")
    end = stop(desk, seconds)
    if end == "killed":
        desk.report.remark(f"it did not stop within {seconds:.0f} s and was killed; its jobs are kept")
    desk.report.line("not running" if end == "not running" else "stopped")
    return ExitCode.DONE


@click.command(context_settings=CONTEXT)
@json_option
@pass_desk
def health(desk: Desk, *, as_json: bool) -> ExitCode:
    """Show the state of every environment.

    The exit code is 0 when everything needed is healthy, else 4.
    """
    try:
        answer: HealthReport = ask_coordinator(desk, HealthQuery())
    except NotRunningError as problem:
        if not as_json:
            _show_supervisor(desk)
            raise
        supervisor = live_supervisor(desk.runtime)
        desk.report.json(
            {"healthy": False, "problem": problem.message, "remedy": problem.remedy, "supervisor": supervisor}
        )
        return ExitCode.NOT_RUNNING
    answer = with_supervisor(desk, answer)
    if as_json:
        desk.report.json(vars(answer))
    else:
        _show_health(desk.report, answer)
    return ExitCode.DONE if answer.healthy else ExitCode.NOT_RUNNING


def _show_health(report: Report, answer: HealthReport) -> None:
    now = now_ms() / 1000
    report.line(health_sentence(answer, now), "good" if answer.healthy else "bad")
    if answer.hardware is not None:
        report.line(f"hardware: {hardware_sentence(answer.hardware)}")
    table = health_table(answer, now)
    report.table(table)
    fits = report.fits(table)
    for node in answer.nodes:
        heading, *lines = node_sentences(node, now)
        report.line(heading, "good" if node.standing == "present" and not node.problems else "bad")
        report.lines(lines, indent="  ")
        if (there := health_table(answer, now, node=node.name)).rows:
            report.table(there, indent="  ")
            fits = fits and report.fits(there)
    if not fits:
        report.lines(model_sentences(answer))
    for notice in answer.notices:
        report.error(notice, "Look at that file, then delete it; until then this message is shown.")
    for message, remedy in health_problems(answer):
        report.error(message, remedy)


def _show_supervisor(desk: Desk) -> None:
    """Show the supervisor's own list of its processes, while the coordinator does not answer."""
    state = live_supervisor(desk.runtime)
    if state is not None and state.children:
        columns = (
            Column(title="process"),
            Column(title="state", styled=True),
            Column(title="problem", least=20),
        )
        rows = tuple((name, child.state, child.problem) for name, child in state.children.items())
        desk.report.table(Table(columns=columns, rows=rows))


@click.command(context_settings=CONTEXT)
@click.option("--refresh", is_flag=True, help="Look again; else the result of the last day is shown.")
@json_option
@pass_desk
def hardware(desk: Desk, *, refresh: bool, as_json: bool) -> ExitCode:
    """Show the processors, memory and GPUs of this machine."""
    from envspecs.hardware import known

    found = known(refresh=refresh, root=desk.home)
    if as_json:
        desk.report.json(vars(found))
    else:
        desk.report.table(hardware_table(found))
    return ExitCode.DONE
