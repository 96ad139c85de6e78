"""Environments and models as data, and what builds them. Runs on a bare Python >= 3.11."""

from __future__ import annotations

from envspecs.installed import (
    WORKFLOWS,
    build_state,
    environment_for,
    environments_for,
    is_built,
    missing_for,
    read_marker,
    run_in,
)
from envspecs.key import build_key
from envspecs.layout import (
    home,
    interpreter,
    logs_directory,
    models_directory,
    state_directory,
    venv_path,
)
from envspecs.spec import EnvSpec, Limits, Platform, StageEngine, all_requirements, read, read_all

__all__ = [
    "WORKFLOWS",
    "EnvSpec",
    "Limits",
    "Platform",
    "StageEngine",
    "all_requirements",
    "build_key",
    "build_state",
    "environment_for",
    "environments_for",
    "home",
    "interpreter",
    "is_built",
    "logs_directory",
    "missing_for",
    "models_directory",
    "read",
    "read_all",
    "read_marker",
    "run_in",
    "state_directory",
    "venv_path",
]
