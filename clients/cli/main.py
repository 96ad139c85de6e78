"""`cpw` and `cpw-submit`: the table of commands, and how a command is run.

A command's options and work are in its module, which is imported when the command is run: `cpw --help`
and tab completion import none of them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Sequence

import click

from clients.cli.shell import CONTEXT, code_of
from clients.desk import Desk, desk_here
from clients.screen.report import Report
from protocol import PROTOCOL_VERSION
from protocol.errors import CpwError, ExitCode

__all__ = ["COMMANDS", "cpw", "load", "main", "run", "submit_main"]

COMMANDS = {
    "cancel": ("clients.cli.jobs:cancel", "Stop jobs, keeping their finished steps for cpw resume."),
    "cluster": ("clients.cli.house.cluster:cluster_group", "Let several machines work at one queue."),
    "compare": (
        "clients.cli.compare:compare",
        "Compare two jobs of one film, or subtitles with a reference.",
    ),
    "demo": (
        "clients.cli.demo:demo",
        "Make and subtitle two short films, the second with warm models.",
    ),
    "down": ("clients.cli.house.machine:down", "Stop everything; jobs continue after the next start."),
    "envs": (
        "clients.cli.envs:envs",
        "List, build, upgrade, roll back and copy environments.",
    ),
    "export": (
        "clients.cli.export:export",
        "Write a job's subtitles in other formats or by other rules.",
    ),
    "glossary": (
        "clients.cli.films.glossary:glossary",
        "Find names that are spelt in two ways, and check a glossary.",
    ),
    "hardware": (
        "clients.cli.house.machine:hardware",
        "Show the processors, memory and GPUs of this machine.",
    ),
    "health": (
        "clients.cli.house.machine:health",
        "Show the state of every environment.",
    ),
    "jobs": ("clients.cli.jobs:jobs", "Clean up old jobs."),
    "logs": (
        "clients.cli.house.logs:logs",
        "Show the log of a job, an environment or a node.",
    ),
    "models": (
        "clients.cli.envs:models",
        "List, fetch and verify models; ps shows the loaded ones.",
    ),
    "preview": (
        "clients.cli.preview:preview",
        "Write a page that shows a job's film, cues and quality marks.",
    ),
    "qc": (
        "clients.cli.qc:qc",
        "Check a subtitle file against the rules of a profile.",
    ),
    "resume": (
        "clients.cli.jobs:resume",
        "Continue failed, cancelled or held jobs.",
    ),
    "retry": ("clients.cli.jobs:retry", "Do a stage of a job again, and everything that depends on it."),
    "service": (
        "clients.cli.house.service:service",
        "Keep everything running: at each login, and after a crash.",
    ),
    "setup": ("clients.cli.house.setup:setup", "Choose the models for this machine and fetch them."),
    "speakers": (
        "clients.cli.films.speakers:speakers",
        "Show who speaks in a job, and name the voices.",
    ),
    "status": ("clients.cli.status:status", "Show jobs, or one job with its steps."),
    "submit": ("clients.cli.submit:submit", "Submit films and show their progress until they are done."),
    "up": ("clients.cli.house.machine:up", "Start everything and wait until it is ready."),
    "web": ("clients.cli.house.web:web", "Open the page for browsers, or show what programs need."),
}
"""Name of a command -> where it is (module:attribute), and the first sentence of its help."""


def load(name: str) -> click.Command:
    """Import a command of the table and return it."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


class _TableOfCommands(click.Group):
    """A group that lists its commands from the table, and imports the one that is run."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(name), rest


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 (click's own signature)
    if not wanted or context.resilient_parsing:
        return
    from importlib.metadata import PackageNotFoundError, version

    try:
        number = version("cpw")
    except PackageNotFoundError:
        number = "from a checkout"
    context.ensure_object(Desk).report.line(f"cpw {number} (wire version {PROTOCOL_VERSION})")
    context.exit()


@click.group(
    cls=_TableOfCommands,
    commands=[click.Command(name, help=sentence) for name, (_, sentence) in COMMANDS.items()],
    context_settings=CONTEXT,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version.",
)
def cpw() -> None:
    """Make subtitles for films, with workers that keep their models loaded.

    \b
    Exit codes: 0 done, 1 a job failed, 2 the command line is wrong,
    3 an environment or model is missing, 4 not running, 130 interrupted.
    """


def run(command: click.Command, words: Sequence[str], name: str, desk: Desk | None = None) -> int:
    """Run a command and return its exit code; an error is shown as one sentence."""
    report = desk.report if desk is not None else Report()
    try:
        code = command.main(args=list(words), prog_name=name, standalone_mode=False, obj=desk or desk_here())
    except click.exceptions.NoArgsIsHelpError as error:
        report.lines(error.format_message().splitlines())
        return ExitCode.USAGE
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else name
        report.error(_one_line(error.format_message()), f"{path} --help")
        return ExitCode.USAGE
    except click.ClickException as error:
        report.error(_one_line(error.format_message()))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        report.remark("interrupted")
        return ExitCode.INTERRUPTED
    except CpwError as error:
        report.error(error.message, error.remedy)
        _remark_old_code(desk or desk_here())
        return code_of(error)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        report.error(f"{error.strerror or error}{place}.")
        return ExitCode.JOB_FAILED
    return int(code or 0)


def _remark_old_code(desk: Desk) -> None:
    """Say after an error that what runs is not the code of now, where that is so: it may be the reason."""
    from clients.supervisor import why_outdated

    try:
        outdated = why_outdated(desk)
    except CpwError:  # the first error counts
        return
    if outdated is not None:
        desk.report.remark(f"note: {outdated.sentence} Try: {outdated.remedy}")


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Run `cpw` for the script of an earlier build: after a `git pull`, `cpw down` comes before `make`."""
    sys.exit(run(cpw, sys.argv[1:], "cpw"))


def submit_main() -> None:
    """Run `cpw-submit` for the script of an earlier build."""
    sys.exit(run(load("submit"), sys.argv[1:], "cpw-submit"))
