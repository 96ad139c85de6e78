"""What makes two builds of an environment the same one."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envspecs.layout import home, lock_path, specs_directory, venv_path
from envspecs.spec import EnvSpec, all_requirements, read_toml

__all__ = ["LOCK_COPY", "Python", "build_key", "lock_digest", "project_digest", "read_lock", "running_python"]

LOCK_COPY = "cpw-lock.txt"
"""The lock that a build was made by, as it lies in the build."""


@dataclass(frozen=True, kw_only=True)
class Python:
    """The interpreter a build stands on."""

    version: str
    """Three numbers: packages with C code are built for the first two, the files lie under all three."""
    implementation: str
    machine: str


def running_python() -> Python:
    """Describe the interpreter that runs this line."""
    return Python(
        version=platform.python_version(),
        implementation=sys.implementation.name,
        machine=platform.machine(),
    )


def build_key(spec: EnvSpec, python: Python, root: Path | None = None, lock: str | None = None) -> str:
    """Return the key of the spec's build: interpreter, requirements, lock, and where the checkout lies.

    `lock` is the lock's text; None: the one that lies in the checkout. The checkout's path counts because
    an environment holds absolute paths: a moved one is built anew.
    """
    return _digest(
        [
            [python.version, python.implementation, python.machine],
            list(all_requirements(spec, specs_directory(root))),
            read_lock(spec.name, root) if lock is None else lock,
            str((root or home()).resolve()),
        ]
    )


def read_lock(name: str, root: Path | None = None) -> str:
    """Return the text of the environment's lock, empty where it has none."""
    path = lock_path(name, root)
    return path.read_text() if path.is_file() else ""


def project_digest(root: Path | None = None) -> str:
    """Return a digest of what the project's own installation depends on: packages and scripts."""
    tables = read_toml((root or home()) / "pyproject.toml")
    tool = tables.get("tool")
    setuptools = tool.get("setuptools") if isinstance(tool, dict) else None
    return _digest([tables.get("build-system"), tables.get("project"), setuptools])


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]


def lock_digest(name: str, root: Path | None = None) -> str:
    """Return a digest of the lock of the environment's current build, else of the checkout's lock.

    Unlike a build's key it is the same on every machine that has the same lock. Empty where there is no lock.
    """
    copy = venv_path(name, root) / LOCK_COPY
    try:
        text = copy.read_text(encoding="utf-8")
    except OSError:
        text = read_lock(name, root)
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else ""
