"""Where things lie in a checkout: specs, locks, environments, models."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = [
    "CLUSTER",
    "COMMON",
    "builds_directory",
    "films_directory",
    "home",
    "interpreter",
    "lock_path",
    "logs_directory",
    "models_directory",
    "out_directory",
    "specs_directory",
    "state_directory",
    "uv_directory",
    "venv_path",
]

COMMON = "common"
"""The environment that the coordinator, the supervisor and the clients run in: the one that code may name."""
CLUSTER = "cluster"
"""The environment that several machines with one queue have; their settings lie in a folder of this name."""


def home() -> Path:
    """Return the project's root; `CPW_HOME` overrides it."""
    override = os.environ.get("CPW_HOME")
    return Path(override).resolve() if override else Path(__file__).resolve().parent.parent


def specs_directory(root: Path | None = None) -> Path:
    """Return the folder of the `<environment>.toml` files."""
    return (root or home()) / "envspecs"


def lock_path(name: str, root: Path | None = None) -> Path:
    """Return the path of an environment's lock; it may not exist."""
    return specs_directory(root) / "locks" / f"{name}.txt"


def venv_path(name: str, root: Path | None = None) -> Path:
    """Return the name under which people find an environment: a link to its current build."""
    return (root or home()) / "venv" / name


def builds_directory(root: Path | None = None) -> Path:
    """Return the folder in which every build has a folder of its own."""
    return (root or home()) / "venv" / ".builds"


def uv_directory(root: Path | None = None) -> Path:
    """Return where uv is put when the machine has none."""
    return (root or home()) / "venv" / ".uv"


def interpreter(name: str, root: Path | None = None) -> Path:
    """Return the Python of an environment's current build; the file may not exist.

    The link is followed here, once: a process started through it would find other files under its
    `sys.prefix` as soon as the next build is swapped in.
    """
    return Path(os.path.realpath(venv_path(name, root))) / "bin" / "python"


def models_directory(root: Path | None = None) -> Path:
    """Return the model store; `CPW_MODELS` overrides it."""
    override = os.environ.get("CPW_MODELS")
    return Path(override).resolve() if override else (root or home()) / "models"


def out_directory(root: Path | None = None) -> Path:
    """Return the folder for job folders, unless a person names another; `CPW_OUT` overrides it."""
    override = os.environ.get("CPW_OUT")
    return Path(override).resolve() if override else (root or home()) / "out"


def films_directory(root: Path | None = None) -> Path:
    """Return the folder for films that are fetched from web addresses; `CPW_FILMS` overrides it."""
    override = os.environ.get("CPW_FILMS")
    return Path(override).resolve() if override else (root or home()) / "films"


def state_directory(root: Path | None = None) -> Path:
    """Return where the job store lies; `CPW_STATE` overrides it."""
    override = os.environ.get("CPW_STATE")
    return Path(override).resolve() if override else (root or home()) / "state"


def logs_directory(root: Path | None = None) -> Path:
    """Return where the logs lie; `CPW_STATE` moves them along."""
    override = os.environ.get("CPW_STATE")
    return Path(override).resolve() / "logs" if override else (root or home()) / "logs"
