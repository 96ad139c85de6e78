"""Which environment does a stage on this machine, and why others do not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from envspecs.builds.installed import build_state
from envspecs.layout import specs_directory
from envspecs.spec import EnvSpec, read_all
from protocol.errors import UsageError
from protocol.stages import ROUTED_STAGES

__all__ = [
    "candidates",
    "environment_for",
    "environments_for",
    "is_by_name_only",
    "missing_for",
    "program_for",
    "why",
]


def is_by_name_only(spec: EnvSpec) -> bool:
    """Return whether the environment is used only when named: its spec says so, or prefers other machines."""
    return spec.by_name_only or (spec.preferred is not None and not spec.preferred.fits_here())


def environments_for(stage: str, root: Path | None = None) -> tuple[EnvSpec, ...]:
    """Return the environments that do the stage here by default, the preferred one first.

    The order: one that is preferred on such a machine, the lowest rank, the required, the name. Those that
    are used by name only are left out.
    """
    return candidates(stage, read_all(specs_directory(root)))


def candidates(stage: str, specs: Iterable[EnvSpec]) -> tuple[EnvSpec, ...]:
    """Return those of `specs` that do the stage here by default; see `environments_for`."""
    found = [
        spec for spec in specs if stage in spec.stages and spec.usable_here() and not is_by_name_only(spec)
    ]
    return tuple(
        sorted(
            found,
            key=lambda spec: (spec.preferred is None, spec.stages[stage].rank, spec.optional, spec.name),
        )
    )


def environment_for(stage: str, root: Path | None = None) -> EnvSpec:
    """Return the environment that does the stage, one that is built before one that is not."""
    found = environments_for(stage, root)
    if not found:
        message = f"No environment does the stage {stage!r} on this machine."
        raise UsageError(message, "python3 -m envspecs list")
    return next((spec for spec in found if build_state(spec, root) == "built"), found[0])


def missing_for(stages: Iterable[str], root: Path | None = None) -> tuple[EnvSpec, ...]:
    """Return the environments to be built before these stages can run."""
    needed = {spec.name: spec for spec in (environment_for(stage, root) for stage in stages)}
    return tuple(spec for spec in needed.values() if build_state(spec, root) != "built")


def program_for(task: str, root: Path | None = None) -> tuple[EnvSpec, str]:
    """Return the environment that has the program for the task, one that is built before one that is not,
    and the program's module.
    """
    specs = [spec for spec in read_all(specs_directory(root)) if task in spec.programs and spec.usable_here()]
    if not specs:
        message = f"No environment has a program to {task} on this machine."
        raise UsageError(message, "python3 -m envspecs list")
    specs.sort(key=lambda spec: (build_state(spec, root) == "missing", bool(spec.copied_from), spec.name))
    return specs[0], specs[0].programs[task]


def why(spec: EnvSpec, specs: Iterable[EnvSpec], root: Path | None = None) -> str:
    """Return a sentence: what this machine uses the environment for, or why it does not."""
    if not spec.usable_here():
        return f"for {spec.platform} only"
    if not spec.worker and not spec.programs:
        return "runs no stage: tests and checks"
    state = build_state(spec, root)
    if state != "built":
        word = "not built" if state == "missing" else "out of date"
        return f"{word}: python3 -m envspecs build {spec.name}"
    if not spec.stages and spec.programs:
        return f"run when it is needed: {', '.join(spec.programs)}"
    if is_by_name_only(spec):
        options = " ".join(f"--env {stage}={spec.name}" for stage in spec.stages)
        where = f"; preferred on {spec.preferred}" if spec.preferred and not spec.by_name_only else ""
        return f"by name only: {options}{where}"
    return _used_for(spec, list(specs), root)


def _used_for(spec: EnvSpec, specs: list[EnvSpec], root: Path | None) -> str:
    used, said = [], []
    for stage in spec.stages:
        built = [
            candidate.name
            for candidate in candidates(stage, specs)
            if build_state(candidate, root) == "built"
        ]
        before = ", ".join(built[: built.index(spec.name)])
        if stage in ROUTED_STAGES:
            unless = f" that {before} cannot" if before else " it can"
            said.append(f"translates the pairs{unless}")
        elif before:
            said.append(f"not for {stage}: {before} comes first (--env {stage}={spec.name})")
        else:
            used.append(stage)
    return "; ".join([f"used for {', '.join(used)}", *said] if used else said) or "does no stage"
