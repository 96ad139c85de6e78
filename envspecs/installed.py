"""What is built: markers, states, and the questions scripts ask (which environment, what is missing)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from envspecs.key import Python, build_key
from envspecs.layout import home, interpreter, specs_directory, venv_path
from envspecs.spec import EnvSpec, read, read_all
from envspecs.uv import child_environment
from protocol.artefacts import write_json
from protocol.errors import MissingError, SchemaError, UsageError
from protocol.schema import from_plain, to_plain

__all__ = [
    "MARKER",
    "WORKFLOWS",
    "BuildState",
    "Marker",
    "build_state",
    "environment_for",
    "environments_for",
    "is_built",
    "missing_for",
    "read_marker",
    "run_in",
    "write_marker",
]

MARKER = "cpw-environment.json"

BuildState = Literal["built", "outdated", "missing"]

WORKFLOWS: dict[str, tuple[str, ...]] = {
    "transcribe": ("demux", "asr", "align", "subtitle"),
    "translate": ("demux", "asr", "align", "translate", "subtitle"),
    "subtitle": ("demux", "asr", "align", "translate", "subtitle", "mux"),
}
"""The stages no job of a workflow does without; what else it can use is the recipe's matter."""


@dataclass(frozen=True, kw_only=True)
class Marker:
    """Written last into a build: it is whole. A build without one is trusted for nothing."""

    name: str
    key: str
    python: Python
    project: str
    """Digest of the project's own installation; a change of it alone does not need a new build."""
    built_at: str
    versions: dict[str, str] = field(default_factory=dict)


def read_marker(build: Path) -> Marker | None:
    """Return the marker of a build, or None where it is not whole."""
    try:
        plain = json.loads((build / MARKER).read_bytes())
        marker = from_plain(Marker, plain)
    except (OSError, ValueError, SchemaError):
        return None
    # A Python that was removed from the machine leaves a dangling link behind.
    return marker if (build / "bin" / "python").exists() else None


def write_marker(build: Path, marker: Marker) -> None:
    """Declare the build whole."""
    write_json(build / MARKER, to_plain(marker))


def build_state(spec: EnvSpec, root: Path | None = None) -> BuildState:
    """Tell whether the environment's current build is there and is the one its spec and lock ask for."""
    marker = read_marker(Path(os.path.realpath(venv_path(spec.name, root))))
    if marker is None:
        return "missing"
    # Asked with the build's own Python: who asks may run another one.
    return "built" if marker.key == build_key(spec, marker.python, root) else "outdated"


def is_built(spec: EnvSpec, root: Path | None = None) -> bool:
    """Tell whether the environment can be used as its spec says."""
    return build_state(spec, root) == "built"


def environments_for(stage: str, root: Path | None = None) -> tuple[EnvSpec, ...]:
    """Return every environment that does the stage on this machine, the required ones first."""
    found = [each for each in read_all(specs_directory(root)) if stage in each.stages and each.usable_here()]
    return tuple(sorted(found, key=lambda each: each.optional))


def environment_for(stage: str, root: Path | None = None) -> EnvSpec:
    """Return the environment that does the stage, one that is built before one that is not."""
    found = environments_for(stage, root)
    if not found:
        message = f"No environment does the stage {stage!r} on this machine."
        raise UsageError(message, "python3 -m envspecs list")
    return next((each for each in found if is_built(each, root)), found[0])


def missing_for(stages: Iterable[str], root: Path | None = None) -> tuple[EnvSpec, ...]:
    """Return the environments to be built before these stages can run."""
    needed = {spec.name: spec for spec in (environment_for(stage, root) for stage in stages)}
    return tuple(spec for spec in needed.values() if not is_built(spec, root))


def run_in(
    name: str, arguments: Sequence[str], root: Path | None = None
) -> subprocess.CompletedProcess[bytes]:
    """Run the environment's Python with these arguments and return how it ended."""
    spec = read(name, specs_directory(root))
    if build_state(spec, root) == "missing":
        message = f"The environment {name} is not built."
        raise MissingError(message, f"python3 -m envspecs build {name}")
    command = [str(interpreter(name, root)), *arguments]
    return subprocess.run(command, check=False, env=child_environment(root or home()))
