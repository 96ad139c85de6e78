"""What is built: markers, states, and a command run in an environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal

from envspecs.builds.uv import child_environment
from envspecs.key import Python, build_key
from envspecs.layout import home, interpreter, specs_directory, venv_path
from envspecs.spec import EnvSpec, read
from protocol.artefacts import read_json_as, write_json
from protocol.errors import MissingError, SchemaError
from protocol.schema import to_plain

__all__ = [
    "INTERRUPT_GRACE_S",
    "MARKER",
    "TELLING",
    "BuildState",
    "Marker",
    "build_state",
    "interrupt",
    "is_built",
    "read_marker",
    "run_in",
    "start_in",
    "write_marker",
]

MARKER = "cpw-environment.json"
TELLING = ("torch", "torchaudio", "numpy", "transformers", "ctranslate2")
"""Packages that a person looks for where two environments differ, asked for by a spec or not."""

INTERRUPT_GRACE_S = 10.0

BuildState = Literal["built", "outdated", "missing"]


@dataclass(frozen=True, kw_only=True)
class Marker:
    """Written last into a build: the build is complete. A build without a marker is not used."""

    name: str
    key: str
    python: Python
    project: str
    """Digest of the project's own installation; a change of it alone does not need a new build."""
    built_at: str
    versions: dict[str, str] = field(default_factory=dict)
    """Of the packages that the spec asks for, and of torch, numpy and their like where they are there."""
    packages: dict[str, str] = field(default_factory=dict)
    """Of every package, by its normalised name; empty in a marker of an older kind."""


def read_marker(build: Path) -> Marker | None:
    """Return the marker of a build, or None where it is not whole."""
    try:
        marker = read_json_as(Marker, build / MARKER)
    except (OSError, ValueError, SchemaError):
        return None
    # A Python that was removed from the machine leaves a dangling link behind.
    return marker if (build / "bin" / "python").exists() else None


def write_marker(build: Path, marker: Marker) -> None:
    """Mark the build as complete."""
    write_json(build / MARKER, to_plain(marker))


def build_state(spec: EnvSpec, root: Path | None = None) -> BuildState:
    """Return whether the environment's current build is there and is the one its spec and lock ask for."""
    marker = read_marker(Path(os.path.realpath(venv_path(spec.name, root))))
    if marker is None:
        return "missing"
    # Compare with the build's own Python: this process may run another one.
    return "built" if marker.key == build_key(spec, marker.python, root) else "outdated"


def is_built(spec: EnvSpec, root: Path | None = None) -> bool:
    """Return whether the environment can be used as its spec says."""
    return build_state(spec, root) == "built"


def run_in(
    name: str, arguments: Sequence[str], root: Path | None = None, *, capture: bool = False
) -> subprocess.CompletedProcess[bytes]:
    """Run the environment's Python with these arguments and return how it ended.

    With `capture` what it writes to stdout is kept, instead of shown; and Ctrl-C is passed on to it alone,
    not to what it has started: it has time to end that, and to leave nothing half-written.
    """
    command, environment = _command_in(name, arguments, root)
    if not capture:
        return subprocess.run(command, check=False, env=environment)
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, process_group=0) as process:
        try:
            written, _ = process.communicate()
        except KeyboardInterrupt:
            interrupt(process)
            raise
    return subprocess.CompletedProcess(command, process.returncode, written)


def start_in(
    name: str,
    arguments: Sequence[str],
    root: Path | None = None,
    *,
    stderr: IO[bytes],
    variables: Mapping[str, str] | None = None,
) -> subprocess.Popen[bytes]:
    """Start the environment's Python with pipes to its stdin and from its stdout, and return at once.

    Ctrl-C does not reach it: `interrupt` ends it. `variables` are set beside ours. Raises what `run_in` does.
    """
    command, environment = _command_in(name, arguments, root)
    environment |= variables or {}
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=stderr, process_group=0)


def _command_in(name: str, arguments: Sequence[str], root: Path | None) -> tuple[list[str], dict[str, str]]:
    spec = read(name, specs_directory(root))
    if build_state(spec, root) == "missing":
        message = f"The environment {name} is not built."
        raise MissingError(message, f"python3 -m envspecs build {name}")
    return [str(interpreter(name, root)), *arguments], child_environment(root or home())


def interrupt(process: subprocess.Popen[bytes]) -> None:
    """Wait for the program to end, however often Ctrl-C is pressed; then kill it and what it started."""
    process.send_signal(signal.SIGINT)
    ends_at = time.monotonic() + INTERRUPT_GRACE_S
    while True:
        # It is ending what it started. If it were killed now, that would go on, and files stay half-written.
        with contextlib.suppress(KeyboardInterrupt):
            try:
                process.wait(timeout=max(0.0, ends_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
            return
