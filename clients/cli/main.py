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
    "cancel": ("clients.cli.jobs:cancel", "Stop jobs; what is done stays, and resume goes on from there."),
    "compare": (
        "clients.cli.compare:compare",
        "Put the transcripts of two jobs side by side: what differs, word error rate, times, versions.",
    ),
    "demo": (
        "clients.cli.demo:demo",
        "Make two short films and subtitle them, the second with warm models.",
    ),
    "down": ("clients.cli.machine:down", "Stop everything; jobs go on with the next start."),
    "envs": (
        "clients.cli.envs:envs",
        "List, build, upgrade, roll back, copy environments; see cpw envs --help.",
    ),
    "export": (
        "clients.cli.export:export",
        "Write a finished job's subtitles again, in other formats or by other rules; no model runs.",
    ),
    "hardware": ("clients.cli.machine:hardware", "Show what this machine has to compute with."),
    "health": (
        "clients.cli.machine:health",
        "Show how every environment is; exit code 0 when healthy, else 4.",
    ),
    "jobs": ("clients.cli.jobs:jobs", "Tidy up jobs."),
    "logs": (
        "clients.cli.logs:logs",
        "Show the log of a job, an environment, the supervisor or the coordinator.",
    ),
    "models": (
        "clients.cli.envs:models",
        "List, fetch or verify models, show where one lies, or (ps) what is loaded where.",
    ),
    "preview": (
        "clients.cli.preview:preview",
        "Write one page to look at a job with: film, cues, loudness, quality; no network.",
    ),
    "qc": (
        "clients.cli.qc:qc",
        "Check a subtitle file of any format; exit code 1 where it breaks a rule.",
    ),
    "resume": (
        "clients.cli.jobs:resume",
        "Go on with failed, cancelled or held jobs; no finished step is done again.",
    ),
    "retry": ("clients.cli.jobs:retry", "Do a stage of a job again, and all that depends on it."),
    "status": ("clients.cli.status:status", "Show jobs; with one JOB its steps too."),
    "submit": ("clients.cli.submit:submit", "Submit films and follow them until they are done."),
    "up": ("clients.cli.machine:up", "Start everything and wait until it is ready."),
}
"""Name of a command -> where it is (module:attribute), and the first sentence of its help."""


def load(name: str) -> click.Command:
    """Import a command of the table and return it."""
    module, _, attribute = COMMANDS[name][0].partition(":")
    command: click.Command = getattr(importlib.import_module(module), attribute)
    return command


class _TableOfCommands(click.Group):
    """A group whose commands are known by name and first sentence, until one of them is run."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, _, rest = super().resolve_command(ctx, args)
        return name, None if name is None else load(name), rest


def _show_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001
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
    """Subtitles for films, made by workers that keep their models loaded.

    \b
    Exit codes: 0 done, 1 a job failed, 2 what you wrote is wrong, 3 an environment
    or model is missing, 4 not running, 130 interrupted.
    """


def run(command: click.Command, words: Sequence[str], name: str, desk: Desk | None = None) -> int:
    """Run a command and return its exit code; whatever goes wrong is told in one sentence."""
    report = desk.report if desk is not None else Report()
    try:
        code = command.main(args=list(words), prog_name=name, standalone_mode=False, obj=desk or desk_here())
    except click.UsageError as error:
        path = error.ctx.command_path if error.ctx else name
        report.error(_one_line(error.format_message()), f"{path} --help")
        return ExitCode.USAGE
    except click.ClickException as error:
        report.error(_one_line(error.format_message()))
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        return ExitCode.INTERRUPTED
    except CpwError as error:
        report.error(error.message, error.remedy)
        return code_of(error)
    except OSError as error:
        place = f": {error.filename}" if error.filename else ""
        report.error(f"{error.strerror or error}{place}.")
        return ExitCode.JOB_FAILED
    return int(code or 0)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main() -> None:
    """Run `cpw`."""
    sys.exit(run(cpw, sys.argv[1:], "cpw"))


def submit_main() -> None:
    """Run `cpw-submit`."""
    sys.exit(run(load("submit"), sys.argv[1:], "cpw-submit"))
