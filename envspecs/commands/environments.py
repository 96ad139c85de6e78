"""The commands of `python3 -m envspecs` about environments; each returns an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from envspecs import choosing
from envspecs.builds import copies, lockfile
from envspecs.builds import upgrade as upgrading
from envspecs.builds.build import build as build_one
from envspecs.builds.history import current_build, previous_build
from envspecs.builds.installed import build_state
from envspecs.commands import overview
from envspecs.key import running_python
from envspecs.layout import home, interpreter
from envspecs.models import fetch
from envspecs.models import registry as models_registry
from envspecs.report import Report
from envspecs.spec import EnvSpec, read, read_all, spec_names
from protocol.errors import ExitCode, MissingError, UsageError
from protocol.stages import required_stages

__all__ = [
    "Answering",
    "build",
    "copy",
    "list_environments",
    "lock",
    "path",
    "remove",
    "rollback",
    "show_map",
    "standing",
    "upgrade",
    "validate",
]


class Answering(Report, Protocol):
    """A report that also takes the answer."""

    def answer(self, text: str) -> None:
        """Take what was asked for."""


def _specs(names: Sequence[str]) -> list[EnvSpec]:
    return [read(name) for name in names] if names else list(read_all())


def standing() -> dict[str, Path | None]:
    """Return every environment's current build, to compare before and after a command."""
    return {name: current_build(name) for name in spec_names()}


def build(
    names: Sequence[str],
    report: Report,
    *,
    everything: bool = False,
    again: bool = False,
    models: bool = True,
) -> ExitCode:
    """Build the named environments, or every one that is wanted on this machine, then fetch their models.

    `everything`: the optional ones, too, as far as this machine and its Python can have them.
    """
    specs = _specs(names)
    if everything and names:
        message = "Either names or --all."
        raise UsageError(message)
    if not names:
        specs = [spec for spec in specs if spec.usable_here() and (everything or spec.wanted_here())]
    if everything:
        specs = [spec for spec in specs if _has_its_python(spec, report)]
    for spec in specs:
        build_one(spec, report, again=again)
    wanted = dict.fromkeys(model for spec in specs for model in spec.models) if models else {}
    for model in wanted:
        fetch.fetch(model, report)
    return ExitCode.DONE


def _has_its_python(spec: EnvSpec, report: Report) -> bool:
    major, minor = running_python().version.split(".")[:2]
    if spec.allows_python((int(major), int(minor))):
        return True
    report.line(f"{spec.name}: left out, it needs Python {spec.python}; this is {major}.{minor}.")
    return False


def upgrade(names: Sequence[str], report: Report) -> ExitCode:
    """Build the environments with the newest packages that their requirements allow."""
    for spec in _specs(names):
        upgrading.upgrade(spec, report)
        if previous_build(spec.name) is not None:
            report.line(f"{spec.name}: the way back: python3 -m envspecs rollback {spec.name}")
    return ExitCode.DONE


def rollback(name: str, report: Report) -> ExitCode:
    """Go back to the previous build; a second time goes forward again."""
    upgrading.rollback(read(name), report)
    return ExitCode.DONE


def copy(source: str, name: str, report: Answering) -> ExitCode:
    """Make a second version of an environment, and say what to do with it."""
    made = copies.copy(source, name)
    stage = next(iter(read(name).stages), "STAGE")
    report.answer(f"{name} is as {source}, and used only where a job names it. Next:")
    report.answer(f"  change what it asks for:  {made}")
    report.answer(f"  build it:                 python3 -m envspecs build {name}")
    report.answer(f"  use it:                   cpw-submit FILM --workflow subtitle --env {stage}={name}")
    report.answer(f"  remove it:                python3 -m envspecs remove {name}")
    return ExitCode.DONE


def remove(name: str, report: Report) -> EnvSpec:
    """Remove the spec of a copy; `copies.remove_builds` removes its builds."""
    spec = read(name)
    copies.forget(spec)
    report.line(f"{name}: its spec and its lock are removed.")
    return spec


def lock(names: Sequence[str], report: Report) -> ExitCode:
    """Write the locks of the named environments, or of all."""
    for spec in _specs(names):
        lockfile.lock(spec, report)
    return ExitCode.DONE


def validate(workflow: str | None, report: Answering) -> ExitCode:
    """Check specs, locks, builds and models; say what is wrong and what mends it."""
    registry = models_registry.read_registry()
    specs = read_all()
    needed = _needed(workflow, specs)
    missing = 0
    for spec in specs:
        required = spec.name in needed
        if workflow and not required:
            continue
        state = build_state(spec)
        report.answer(f"{spec.name}: {state}{'' if required else ' (optional)'}")
        problems = _problems(spec, state, registry)
        for problem in problems:
            report.answer(f"  {problem}")
        missing += required and bool(problems)
    if missing:
        report.line("What is missing is named above, with the command that mends it.")
    elif workflow:
        report.answer(f"Nothing that {workflow} cannot do without is missing.")
    return ExitCode.MISSING if missing else ExitCode.DONE


def _needed(workflow: str | None, specs: Iterable[EnvSpec]) -> set[str]:
    if workflow:
        return {choosing.environment_for(stage).name for stage in required_stages(workflow)}
    return {spec.name for spec in specs if not spec.optional and spec.usable_here()}


def _problems(spec: EnvSpec, state: str, registry: dict[str, models_registry.Model]) -> list[str]:
    found = []
    if state != "built":
        found.append(f"is {state}: python3 -m envspecs build {spec.name}")
    if not lockfile.lock_is_current(spec):
        found.append(
            f"its lock is missing or older than its requirements: python3 -m envspecs lock {spec.name}"
        )
    for stage, entry in spec.stages.items():
        module = Path(*entry.engine.partition(":")[0].split(".")).with_suffix(".py")
        if not (home() / module).is_file():
            found.append(f"{module}, the engine of {stage}, is not there")
    for model in spec.models:
        if model not in registry:
            found.append(f"the model {model} is not in envspecs/models.toml")
        elif not models_registry.has_model(model):
            found.append(f"the model {model} is not in the store: python3 -m envspecs models fetch {model}")
    return found


def list_environments(report: Answering, *, as_json: bool) -> ExitCode:
    """Show every environment: versions, size, state, and what it is used for here."""
    found, together = overview.entries()
    if as_json:
        report.answer(json.dumps(overview.as_json(found, together), indent=1))
    else:
        for line in overview.as_lines(found, together):
            report.answer(line)
    return ExitCode.DONE


def show_map(report: Answering, *, as_json: bool) -> ExitCode:
    """Show the three maps."""
    maps = overview.environment_map()
    for line in [json.dumps(maps, indent=1)] if as_json else overview.map_lines(maps):
        report.answer(line)
    return ExitCode.DONE


def path(name: str, report: Answering) -> ExitCode:
    """Show the folder of the current build."""
    spec = read(name)
    if build_state(spec) == "missing":
        message = f"The environment {name} is not built."
        raise MissingError(message, f"python3 -m envspecs build {name}")
    report.answer(str(interpreter(name).parent.parent))
    return ExitCode.DONE
