"""`cpw logs`: the last lines of the logs of a job or an environment, and what is added to them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

import click

from clients.cli.house.node_logs import is_node, show_node_log
from clients.cli.shell import CONTEXT, pass_desk
from clients.desk import Desk
from clients.job_folder import is_job_id
from clients.log_files import Tails, environment_log, job_logs_folder
from clients.screen.report import Report
from protocol.errors import ExitCode, UsageError

__all__ = ["logs"]

_LOOK_SECONDS = 0.25


@click.command(context_settings=CONTEXT)
@click.argument("name", metavar="JOB|ENV|NODE|NODE:ENV")
@click.option("-f", "--follow", is_flag=True, help="Keep showing what is added.")
@click.option(
    "-n",
    "limit",
    metavar="N",
    type=click.IntRange(min=0),
    default=50,
    show_default=True,
    help="Last N lines.",
)
@pass_desk
def logs(desk: Desk, name: str, limit: int, *, follow: bool) -> ExitCode:
    """Show the log of a job, an environment or a node.

    Supervisor and coordinator have one too: cpw logs supervisor. A node's supervisor: cpw logs NODE.
    """
    if ":" in name:
        return show_node_log(desk, name, limit, follow=follow)
    try:
        find = _finder(desk, name)
    except UsageError as error:
        if is_job_id(name) or not is_node(desk, name):
            raise error from None
        return show_node_log(desk, name, limit, follow=follow)
    if not any(path.is_file() for path in find()):
        desk.report.remark(f"{name} has no log yet")
    with contextlib.closing(Tails(find)) as tails:
        shown: Path | None = None
        for path, lines in tails.begin(limit):
            shown = _show(desk.report, path, lines, shown, several=len(tails.known) > 1)
        return _follow(desk, tails, shown) if follow else ExitCode.DONE


def _follow(desk: Desk, tails: Tails, shown: Path | None) -> ExitCode:
    try:
        while True:
            for path, lines in tails.read():
                shown = _show(desk.report, path, lines, shown, several=len(tails.known) > 1)
            desk.pause(_LOOK_SECONDS)
    except KeyboardInterrupt:  # how following ends: nothing is to be said
        return ExitCode.INTERRUPTED


def _finder(desk: Desk, name: str) -> Callable[[], list[Path]]:
    """Return what finds the log files: a job gets another one with each stage that starts."""
    if is_job_id(name):
        folder = job_logs_folder(desk, name)
        return lambda: sorted(folder.glob("*.log"))
    log = environment_log(desk.home, name)
    return lambda: [log]


def _show(report: Report, path: Path, lines: list[str], shown: Path | None, *, several: bool) -> Path | None:
    """Show the lines, under the log's name where the last ones were another log's; return whose are last."""
    if several and lines and path != shown:
        report.line(f"==> {path.stem} <==", "title")
    report.lines(lines)
    return path if lines else shown
