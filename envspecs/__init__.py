"""Environments and models as data, and what builds them. Runs on a bare Python >= 3.11."""

from __future__ import annotations

from envspecs.builds.history import current_build, hold, previous_build, prove
from envspecs.builds.installed import build_state, is_built, read_marker, run_in
from envspecs.choosing import environment_for, environments_for, is_by_name_only, missing_for
from envspecs.key import build_key
from envspecs.layout import (
    COMMON,
    home,
    interpreter,
    logs_directory,
    models_directory,
    out_directory,
    state_directory,
    venv_path,
)
from envspecs.spec import (
    EnvSpec,
    Limits,
    Platform,
    Service,
    StageEngine,
    all_requirements,
    read,
    read_all,
    spec_names,
)

__all__ = [
    "COMMON",
    "EnvSpec",
    "Limits",
    "Platform",
    "Service",
    "StageEngine",
    "all_requirements",
    "build_key",
    "build_state",
    "current_build",
    "environment_for",
    "environments_for",
    "hold",
    "home",
    "interpreter",
    "is_built",
    "is_by_name_only",
    "logs_directory",
    "missing_for",
    "models_directory",
    "out_directory",
    "previous_build",
    "prove",
    "read",
    "read_all",
    "read_marker",
    "run_in",
    "spec_names",
    "state_directory",
    "venv_path",
]
