"""What makes two builds of an environment the same one."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envspecs.layout import home, lock_path, specs_directory
from envspecs.spec import EnvSpec, all_requirements, read_toml

__all__ = ["Python", "build_key", "project_digest", "running_python"]


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


def build_key(spec: EnvSpec, python: Python, root: Path | None = None) -> str:
    """Return the key of the spec's build: interpreter, requirements, lock, and where the checkout lies.

    The checkout's path counts because an environment holds absolute paths: a moved one is built anew.
    """
    lock = lock_path(spec.name, root)
    return _digest(
        [
            [python.version, python.implementation, python.machine],
            list(all_requirements(spec, specs_directory(root))),
            lock.read_text() if lock.is_file() else "",
            str((root or home()).resolve()),
        ]
    )


def project_digest(root: Path | None = None) -> str:
    """Return a digest of what the project's own installation depends on: packages and scripts."""
    tables = read_toml((root or home()) / "pyproject.toml")
    tool = tables.get("tool")
    setuptools = tool.get("setuptools") if isinstance(tool, dict) else None
    return _digest([tables.get("build-system"), tables.get("project"), setuptools])


def _digest(plain: Any) -> str:
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:12]
