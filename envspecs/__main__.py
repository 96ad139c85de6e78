"""`python3 -m envspecs`: build, lock, validate and list environments; fetch and verify models."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TextIO

from envspecs import commands
from protocol.errors import CpwError, ExitCode, NotRunningError, SchemaError, UsageError

__all__ = ["main"]

_OLDEST_PYTHON = (3, 11)
_WORTH_SHOWING_BYTES = 1 << 24


class Terminal:
    """The one place that writes: answers to stdout, what goes on meanwhile to stderr."""

    def __init__(self) -> None:
        self._shown = -1

    def answer(self, text: str) -> None:
        """Write what was asked for."""
        _write(sys.stdout, f"{text}\n")

    def line(self, text: str) -> None:
        """Write what goes on."""
        _write(sys.stderr, f"{text}\n")

    def progress(self, text: str, done: int, total: int) -> None:
        """Show a percentage: in place on a terminal, at every tenth elsewhere."""
        if total < _WORTH_SHOWING_BYTES:
            return
        percent = 100 * done // total
        stride = 1 if sys.stderr.isatty() else 10
        if percent // stride == self._shown:
            return
        self._shown = -1 if done >= total else percent // stride
        if not sys.stderr.isatty():
            self.line(f"{text}: {percent} %")
            return
        bar = "#" * (percent // 4)
        end = "\n" if done >= total else ""
        _write(sys.stderr, f"\r{text} [{bar:<25}] {percent:3d} %{end}")


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python3 -m envspecs", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True)
    build = verbs.add_parser("build", help="build environments, and fetch their models")
    build.add_argument("names", nargs="*", metavar="NAME", help="default: every required one")
    build.add_argument("--again", action="store_true", help="build even what is up to date")
    build.add_argument("--no-models", action="store_true", help="fetch no models")
    lock = verbs.add_parser("lock", help="resolve requirements anew and write their locks")
    lock.add_argument("names", nargs="*", metavar="NAME", help="default: every one")
    validate = verbs.add_parser("validate", help="check specs, locks, builds and models")
    validate.add_argument("--workflow", metavar="W", choices=sorted(commands.WORKFLOWS))
    listing = verbs.add_parser("list", help="show environments, stages and workflows")
    listing.add_argument("--json", action="store_true", dest="as_json")
    path = verbs.add_parser("path", help="show the folder of an environment's current build")
    path.add_argument("name", metavar="NAME")
    models = verbs.add_parser("models", help="list, fetch and verify models")
    actions = models.add_subparsers(dest="action", required=True)
    list_models = actions.add_parser("list", help="show the registry and what is in the store")
    list_models.add_argument("--json", action="store_true", dest="as_json")
    fetch = actions.add_parser("fetch", help="put models into the store")
    fetch.add_argument("names", nargs="+", metavar="ID")
    fetch.add_argument("--again", action="store_true", help="fetch even what is there")
    verify = actions.add_parser("verify", help="hash models in the store and compare")
    verify.add_argument("names", nargs="*", metavar="ID", help="default: every one in the store")
    model_path = actions.add_parser("path", help="show a model's folder in the store")
    model_path.add_argument("name", metavar="ID")
    return parser


def _run(arguments: argparse.Namespace, terminal: Terminal) -> ExitCode:
    verb = arguments.verb
    if verb == "build":
        return commands.build(
            arguments.names, terminal, again=arguments.again, models=not arguments.no_models
        )
    if verb == "lock":
        return commands.lock(arguments.names, terminal)
    if verb == "validate":
        return commands.validate(arguments.workflow, terminal)
    if verb == "list":
        return commands.list_environments(terminal, as_json=arguments.as_json)
    if verb == "path":
        return commands.path(arguments.name, terminal)
    return _run_models(arguments, terminal)


def _run_models(arguments: argparse.Namespace, terminal: Terminal) -> ExitCode:
    if arguments.action == "list":
        return commands.list_models(terminal, as_json=arguments.as_json)
    if arguments.action == "fetch":
        return commands.fetch_models(arguments.names, terminal, again=arguments.again)
    if arguments.action == "verify":
        return commands.verify_models(arguments.names, terminal)
    return commands.path_of_model(arguments.name, terminal)


def exit_code(error: CpwError) -> ExitCode:
    """Return the code of an error: whatever else failed here, an environment or a model is missing now."""
    if isinstance(error, (UsageError, SchemaError)):
        return ExitCode.USAGE
    return ExitCode.NOT_RUNNING if isinstance(error, NotRunningError) else ExitCode.MISSING


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    terminal = Terminal()
    if sys.version_info < _OLDEST_PYTHON:
        terminal.line(f"This is Python {sys.version.split()[0]}; 3.11 or newer is needed.")
        return ExitCode.USAGE
    try:
        return _run(_parser().parse_args(argv), terminal)
    except CpwError as error:
        terminal.line(f"\nerror: {error.message}")
        if error.remedy:
            terminal.line(f"Do this: {error.remedy}")
        return exit_code(error)
    except OSError as error:
        terminal.line(f"\nerror: {error.filename or 'A file'}: {error.strerror or error}.")
        terminal.line(
            "Do this: mend that, then run the same command again; what was not complete is not used."
        )
        return ExitCode.MISSING
    except KeyboardInterrupt:
        terminal.line("\nInterrupted; what was not complete is not used.")
        return ExitCode.INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
