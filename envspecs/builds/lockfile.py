"""Locks: every package of an environment at one version, for every platform, kept in the repository."""

from __future__ import annotations

import tempfile
from pathlib import Path

from envspecs.builds.uv import Tools, base_python, find_uv
from envspecs.layout import home, lock_path, specs_directory
from envspecs.report import Report, step
from envspecs.spec import EnvSpec, locked_requirements
from protocol.artefacts import write_whole

__all__ = ["lock", "lock_is_current", "renamed", "resolve"]

_HEADER = "# Constraints of the environment {name}. Made by: python3 -m envspecs lock {name}\n"
_ASKED = "# For: {requirements}\n"


def lock(spec: EnvSpec, report: Report, root: Path | None = None) -> Path:
    """Resolve the spec's requirements anew, write its lock and return its path."""
    path = lock_path(spec.name, root)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, resolve(spec, report, root).encode())
    return path


def resolve(spec: EnvSpec, report: Report, root: Path | None = None) -> str:
    """Resolve the spec's requirements anew and return the text of the lock.

    No hashes: a machine may offer a local build of a locked version. No index either: each machine has its
    own.
    """
    root = (root or home()).resolve()
    # Local builds of this machine have no place in a lock that others use.
    tools = Tools(uv=find_uv(root, report), root=root, without=("UV_FIND_LINKS",))
    floor = spec.python.split(",")[0].removeprefix(">=").strip()
    with tempfile.TemporaryDirectory() as folder, step(report, f"{spec.name}: locking"):
        asked, found = Path(folder) / "requirements.in", Path(folder) / "lock.txt"
        asked.write_text(
            "".join(f"{requirement}\n" for requirement in locked_requirements(spec, specs_directory(root)))
        )
        tools.run(
            [
                *("pip", "compile", "--quiet", "--universal", "--no-header", "--no-annotate"),
                *("--python", str(base_python()), "--python-version", floor),
                *("--output-file", str(found), str(asked)),
            ],
            f"The requirements of {spec.name} cannot be resolved",
        )
        return _header(spec, root) + found.read_text()


def lock_is_current(spec: EnvSpec, root: Path | None = None) -> bool:
    """Return whether the lock was made for the requirements that the spec has now."""
    path = lock_path(spec.name, root)
    return path.is_file() and path.read_text().startswith(_header(spec, root))


def renamed(text: str, name: str) -> str:
    """Return a lock's text for an environment of another name that asks for the same."""
    first, _, rest = text.partition("\n")
    made = first.startswith(_HEADER.partition("{")[0])
    return _HEADER.format(name=name) + rest if made else text


def _header(spec: EnvSpec, root: Path | None) -> str:
    asked = ", ".join(locked_requirements(spec, specs_directory(root)))
    return _HEADER.format(name=spec.name) + _ASKED.format(requirements=asked)
