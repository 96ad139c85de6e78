"""The key by which nodes of a cluster are let in by the head's HTTP server: it opens nothing else there."""

from __future__ import annotations

from pathlib import Path

from envspecs.cluster.settings import cluster_directory
from envspecs.secret_file import made_secret

__all__ = ["door_key_file", "make_door_key", "read_door_key"]


def door_key_file(state: Path) -> Path:
    """Return where the key lies; only the head of a cluster has it."""
    return cluster_directory(state) / "door.key"


def make_door_key(state: Path) -> str:
    """Return the key; it is made where there is none. Readable by its owner alone."""
    return made_secret(door_key_file(state))


def read_door_key(state: Path) -> str:
    """Return the key; empty where there is none: this machine is no head."""
    try:
        return door_key_file(state).read_text().strip()
    except OSError:
        return ""
