"""The verbs of `python3 -m envspecs`, each answering with an exit code."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from envspecs import fetch, installed, lockfile, models
from envspecs.build import build as build_one
from envspecs.installed import WORKFLOWS, build_state, environments_for
from envspecs.layout import home, interpreter, models_directory, venv_path
from envspecs.report import Report
from envspecs.spec import EnvSpec, read, read_all
from protocol.errors import ExitCode, MissingError
from protocol.stages import STAGES

__all__ = [
    "WORKFLOWS",
    "build",
    "environment_map",
    "fetch_models",
    "list_environments",
    "list_models",
    "lock",
    "path",
    "path_of_model",
    "validate",
    "verify_models",
]


class Answering(Report, Protocol):
    """A report that can also be answered to."""

    def answer(self, text: str) -> None:
        """Take what was asked for."""


def _specs(names: Sequence[str]) -> list[EnvSpec]:
    return [read(name) for name in names] if names else list(read_all())


def build(names: Sequence[str], report: Report, *, again: bool = False, models: bool = True) -> ExitCode:
    """Build the named environments, or every required one of this platform, then fetch their models."""
    specs = _specs(names)
    if not names:
        specs = [each for each in specs if not each.optional and each.usable_here()]
    for spec in specs:
        build_one(spec, report, again=again)
    wanted = dict.fromkeys(model for spec in specs for model in spec.models) if models else {}
    for model in wanted:
        fetch.fetch(model, report)
    return ExitCode.DONE


def lock(names: Sequence[str], report: Report) -> ExitCode:
    """Write the locks of the named environments, or of all."""
    for spec in _specs(names):
        lockfile.lock(spec, report)
    return ExitCode.DONE


def validate(workflow: str | None, report: Answering) -> ExitCode:
    """Check specs, locks, builds and models; say what is wrong and what mends it."""
    registry = models.read_registry()
    specs = read_all()
    needed = _needed(workflow, specs)
    missing = 0
    for spec in specs:
        state = build_state(spec)
        required = spec.name in needed
        report.answer(f"{spec.name}: {state}{'' if required else ' (optional)'}")
        problems = _problems(spec, state, registry)
        for problem in problems:
            report.answer(f"  {problem}")
        missing += required and bool(problems)
    if missing:
        report.line("What is missing is named above, with the command that mends it.")
    return ExitCode.MISSING if missing else ExitCode.DONE


def _needed(workflow: str | None, specs: Sequence[EnvSpec]) -> set[str]:
    if workflow:
        return {installed.environment_for(stage).name for stage in WORKFLOWS[workflow]}
    return {each.name for each in specs if not each.optional and each.usable_here()}


def _problems(spec: EnvSpec, state: str, registry: dict[str, models.Model]) -> list[str]:
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
        elif not models.has_model(model):
            found.append(f"the model {model} is not in the store: python3 -m envspecs models fetch {model}")
    return found


def environment_map() -> dict[str, Any]:
    """Return the three maps of `list --json`: of environments, of stages and of workflows."""
    specs = read_all()
    return {
        "version": 1,
        "environments": {
            each.name: {
                "purpose": each.purpose,
                "path": str(venv_path(each.name)),
                "python": str(interpreter(each.name)),
                "state": build_state(each),
                "stages": list(each.stages),
                "optional": each.optional,
                "worker": each.worker,
                "usable_here": each.usable_here(),
                "models": list(each.models),
            }
            for each in specs
        },
        "stages": {
            stage: [each.name for each in found] for stage in STAGES if (found := environments_for(stage))
        },
        "workflows": {
            workflow: sorted({installed.environment_for(stage).name for stage in stages})
            for workflow, stages in WORKFLOWS.items()
        },
    }


def list_environments(report: Answering, *, as_json: bool) -> ExitCode:
    """Show the maps."""
    found = environment_map()
    if as_json:
        report.answer(json.dumps(found, indent=1))
        return ExitCode.DONE
    for name, entry in found["environments"].items():
        report.answer(f"{name:12} {entry['state']:9} {entry['purpose']}")
        if entry["stages"]:
            report.answer(f"{'':12} {'':9} stages: {', '.join(entry['stages'])}")
    report.answer("")
    for workflow, names in found["workflows"].items():
        report.answer(f"{workflow:12} needs {', '.join(names)}")
    return ExitCode.DONE


def path(name: str, report: Answering) -> ExitCode:
    """Show the folder of the current build."""
    spec = read(name)
    if build_state(spec) == "missing":
        message = f"The environment {name} is not built."
        raise MissingError(message, f"python3 -m envspecs build {name}")
    report.answer(str(interpreter(name).parent.parent))
    return ExitCode.DONE


def list_models(report: Answering, *, as_json: bool) -> ExitCode:
    """Show the registry and what of it is in the store."""
    found = models.list_models()
    if as_json:
        entries = [
            {
                "id": each.model.id,
                "kind": each.model.kind,
                "licence": each.model.licence,
                "in_store": each.in_store,
                "source": each.source,
                "bytes": each.size,
                "description": each.model.description,
            }
            for each in found
        ]
        report.answer(
            json.dumps({"version": 1, "store": str(models_directory()), "models": entries}, indent=1)
        )
        return ExitCode.DONE
    for each in found:
        state = f"here ({each.source})" if each.in_store else "not here"
        report.answer(f"{each.model.id:24} {each.size / 1e6:8.0f} MB  {state:18} {each.model.description}")
    return ExitCode.DONE


def fetch_models(names: Sequence[str], report: Report, *, again: bool) -> ExitCode:
    """Put the models into the store."""
    for name in names:
        fetch.fetch(name, report, again=again)
    return ExitCode.DONE


def verify_models(names: Sequence[str], report: Answering) -> ExitCode:
    """Hash models and compare with their manifests."""
    for name in names or [each.model.id for each in models.list_models() if each.in_store]:
        models.verify(name)
        report.answer(f"{name}: every file is as it was fetched.")
    return ExitCode.DONE


def path_of_model(name: str, report: Answering) -> ExitCode:
    """Show the model's folder."""
    report.answer(str(models.model_path(name)))
    return ExitCode.DONE
