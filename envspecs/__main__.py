"""`python3 -m envspecs`: environments, listed, built, upgraded, copied; models, listed, fetched, verified."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, TextIO

from envspecs.builds.copies import remove_builds
from envspecs.commands import environments, models
from envspecs.layout import home
from envspecs.spec import read, read_all
from protocol.endpoints import runtime_directory
from protocol.errors import CpwError, ExitCode, NotRunningError, SchemaError, UsageError
from protocol.stages import WORKFLOWS
from protocol.supervisor import is_unbuilt, read_supervisor

__all__ = ["Reloader", "main"]

_ENVSPECS = "python3 -m envspecs"
_MODELS = f"{_ENVSPECS} models"
_OLDEST_PYTHON = (3, 11)
_WORTH_SHOWING_BYTES = 1 << 24


class Terminal:
    """The one place that writes: answers to stdout, what goes on meanwhile to stderr."""

    def __init__(self, spoken: Mapping[str, str] | None = None) -> None:
        self._shown = -1
        self._spoken = spoken or {}

    def answer(self, text: str) -> None:
        """Write what was asked for."""
        _write(sys.stdout, f"{self.said(text)}\n")

    def line(self, text: str) -> None:
        """Write what goes on."""
        _write(sys.stderr, f"{self.said(text)}\n")

    def said(self, text: str) -> str:
        """Return the text with this program called what the person called it."""
        for name in (_MODELS, _ENVSPECS):
            text = text.replace(name, self._spoken.get(name, name))
        return text

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


class Reloader(Protocol):
    """Restarts workers of this checkout, if any run, after their environments were built again."""

    def reload(self, names: Sequence[str], *, now: bool = False) -> ExitCode:
        """Restart the workers of these environments, and return how that went."""

    def changed(self, names: Sequence[str]) -> ExitCode:
        """Restart them where anything runs, and start a worker for what is built and has none."""


class _Advice:
    """For a bare Python, which cannot speak to what runs: says what a person can do."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def reload(self, names: Sequence[str], *, now: bool = False) -> ExitCode:
        words = " ".join([*names, *(["--now"] if now else [])])
        message = "Only cpw can talk to what runs."
        raise UsageError(message, f"cpw envs reload {words}")

    def changed(self, names: Sequence[str]) -> ExitCode:
        without = {spec.name for spec in read_all() if not spec.worker or not spec.usable_here()}
        changed = [name for name in names if name not in without]
        report = read_supervisor(runtime_directory(home()))
        if report is not None:
            new = [name for name in changed if is_unbuilt(report.children.get(name))]
            old = [name for name in changed if name not in new]
            self._advise("Running workers use the previous build until", old)
            self._advise("Something runs here already; to start a worker in the new build", new)
        return ExitCode.DONE

    def _advise(self, when: str, names: Sequence[str]) -> None:
        if names:
            self._terminal.line(f"{when}: cpw envs reload {' '.join(names)}")


def _parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="Environments, and the models in the store.")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_looking(verbs)
    _add_changing(verbs)
    _add_models(verbs.add_parser("models", help="list, fetch and verify models"))
    return parser


def _add_looking(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    listing = verbs.add_parser("list", help="show every environment: versions, size, what it is used for")
    listing.add_argument("--json", action="store_true", dest="as_json")
    maps = verbs.add_parser("map", help="show which environment does which stage, and workflows' needs")
    maps.add_argument("--json", action="store_true", dest="as_json")
    validate = verbs.add_parser("validate", help="check specs, locks, builds and models")
    validate.add_argument("--workflow", metavar="W", choices=sorted(WORKFLOWS))
    path = verbs.add_parser("path", help="show the folder of an environment's current build")
    path.add_argument("name", metavar="NAME")


def _add_changing(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    build = verbs.add_parser("build", help="build environments, and fetch their models")
    build.add_argument("names", nargs="*", metavar="NAME", help="default: every required one")
    build.add_argument("--all", action="store_true", dest="everything", help="the optional ones, too")
    build.add_argument("--again", action="store_true", help="build even what is up to date")
    build.add_argument("--no-models", action="store_true", help="fetch no models")
    upgrade = verbs.add_parser("upgrade", help="resolve requirements anew, build beside, swap in")
    upgrade.add_argument("names", nargs="+", metavar="NAME")
    rollback = verbs.add_parser(
        "rollback", help="go back to the previous build; a second time goes forward again"
    )
    rollback.add_argument("name", metavar="NAME")
    reload = verbs.add_parser("reload", help="start a new worker in the current build; other workers go on")
    reload.add_argument("names", nargs="+", metavar="NAME")
    reload.add_argument(
        "--now", action="store_true", help="do not wait for its call: another worker does it again"
    )
    copy = verbs.add_parser("copy", help="make a second version, used only where a job names it")
    copy.add_argument("source", metavar="NAME")
    copy.add_argument("name", metavar="NEW-NAME")
    remove = verbs.add_parser("remove", help="remove a copy, with its builds")
    remove.add_argument("name", metavar="NAME")
    lock = verbs.add_parser("lock", help="resolve requirements anew and write their locks; builds nothing")
    lock.add_argument("names", nargs="*", metavar="NAME", help="default: every one")


def _models_parser(program: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program, description="The models in the store.")
    parser.set_defaults(verb="models")
    _add_models(parser)
    return parser


def _add_models(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="VERB")
    listing = actions.add_parser("list", help="show what there is, what is here, and what is needed")
    listing.add_argument("-w", "--workflow", metavar="W", choices=sorted(WORKFLOWS))
    listing.add_argument("-s", "--source-language", dest="source", metavar="LANG")
    listing.add_argument("-t", "--target-language", dest="targets", metavar="LANG,...", default="")
    listing.add_argument("--json", action="store_true", dest="as_json")
    fetch = actions.add_parser("fetch", help="put models into the store")
    fetch.add_argument("names", nargs="+", metavar="ID")
    fetch.add_argument("--again", action="store_true", help="fetch even what is there")
    verify = actions.add_parser("verify", help="hash models in the store and compare")
    verify.add_argument("names", nargs="*", metavar="ID", help="default: every one in the store")
    path = actions.add_parser("path", help="show a model's folder in the store")
    path.add_argument("name", metavar="ID")


def _run(asked: argparse.Namespace, terminal: Terminal, reloader: Reloader) -> ExitCode:
    if asked.verb == "models":
        return _run_models(asked, terminal)
    if asked.verb == "reload":
        return reloader.reload([read(name).name for name in asked.names], now=asked.now)
    if asked.verb in _CHANGING:
        return _change(asked, terminal, reloader)
    if asked.verb == "remove":
        spec = environments.remove(asked.name, terminal)
        reloader.changed([spec.name])
        remove_builds(spec.name, terminal)
        return ExitCode.DONE
    return _LOOKING[asked.verb](asked, terminal)


def _change(asked: argparse.Namespace, terminal: Terminal, reloader: Reloader) -> ExitCode:
    """Run the command, then report what it changed, even if a later part failed."""
    before = environments.standing()

    def tell() -> ExitCode:
        after = environments.standing()
        return reloader.changed([name for name, build in after.items() if build != before.get(name)])

    try:
        _CHANGING[asked.verb](asked, terminal)
    except CpwError:
        tell()
        raise
    return tell()


_Verb = Callable[[argparse.Namespace, Terminal], ExitCode]
_CHANGING: dict[str, _Verb] = {
    "build": lambda asked, terminal: environments.build(
        asked.names,
        terminal,
        everything=asked.everything,
        again=asked.again,
        models=not asked.no_models,
    ),
    "upgrade": lambda asked, terminal: environments.upgrade(asked.names, terminal),
    "rollback": lambda asked, terminal: environments.rollback(asked.name, terminal),
}
_LOOKING: dict[str, _Verb] = {
    "list": lambda asked, terminal: environments.list_environments(terminal, as_json=asked.as_json),
    "map": lambda asked, terminal: environments.show_map(terminal, as_json=asked.as_json),
    "copy": lambda asked, terminal: environments.copy(asked.source, asked.name, terminal),
    "validate": lambda asked, terminal: environments.validate(asked.workflow, terminal),
    "lock": lambda asked, terminal: environments.lock(asked.names, terminal),
    "path": lambda asked, terminal: environments.path(asked.name, terminal),
}


def _run_models(asked: argparse.Namespace, terminal: Terminal) -> ExitCode:
    if asked.action == "list":
        return models.list_models(terminal, _wanted(asked), as_json=asked.as_json)
    if asked.action == "fetch":
        return models.fetch_models(asked.names, terminal, again=asked.again)
    if asked.action == "verify":
        return models.verify_models(asked.names, terminal)
    return models.path_of_model(asked.name, terminal)


def _wanted(asked: argparse.Namespace) -> models.WantedWorkflow | None:
    targets = tuple(word for word in asked.targets.split(",") if word)
    if asked.workflow is None:
        if asked.source or targets:
            message = "-s and -t need --workflow."
            raise UsageError(message, "Add --workflow translate")
        return None
    return models.WantedWorkflow(workflow=asked.workflow, source=asked.source, targets=targets)


def _parse(words: list[str], terminal: Terminal) -> argparse.Namespace:
    if words[:1] == ["models"]:
        return _models_parser(terminal.said(_MODELS)).parse_args(words[1:])
    return _parser(terminal.said(_ENVSPECS)).parse_args(words)


def exit_code(error: CpwError) -> ExitCode:
    """Return the exit code of an error: after most failures here an environment or a model is missing."""
    if isinstance(error, (UsageError, SchemaError)):
        return ExitCode.USAGE
    return ExitCode.NOT_RUNNING if isinstance(error, NotRunningError) else ExitCode.MISSING


def main(
    argv: Sequence[str] | None = None,
    spoken: Mapping[str, str] | None = None,
    reloader: Reloader | None = None,
) -> int:
    """Run the command and return its exit code.

    `spoken`: what this program and `... models` are called where `cpw` runs them. `reloader`: who is told
    what has changed.
    """
    terminal = Terminal(spoken or {})
    if sys.version_info < _OLDEST_PYTHON:
        terminal.line(f"This is Python {sys.version.split()[0]}; 3.11 or newer is needed.")
        return ExitCode.USAGE
    try:
        return _run(
            _parse(list(sys.argv[1:] if argv is None else argv), terminal),
            terminal,
            reloader or _Advice(terminal),
        )
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
