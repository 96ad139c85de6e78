"""What the nodes of a cluster have, for the plans of the head: written by the coordinator alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from envspecs.cluster.settings import cluster_directory
from envspecs.layout import state_directory
from protocol.artefacts import read_json_as, write_json
from protocol.errors import SchemaError
from protocol.schema import to_plain

__all__ = ["Elsewhere", "elsewhere_file", "read_elsewhere", "write_elsewhere"]


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """What some node that is there has, whichever it is."""

    built: tuple[str, ...] = ()
    """Environments that are built with the head's lock."""
    models: tuple[str, ...] = ()
    """Ids of models in a node's store."""


def elsewhere_file(state: Path | None = None) -> Path:
    """Return the path of the file; it is not there where there are no nodes."""
    return cluster_directory(state or state_directory()) / "elsewhere.json"


def read_elsewhere(state: Path | None = None) -> Elsewhere:
    """Return what nodes have; nothing where there are none."""
    try:
        return read_json_as(Elsewhere, elsewhere_file(state))
    except (OSError, ValueError, SchemaError):
        return Elsewhere()


def write_elsewhere(found: Elsewhere, state: Path | None = None) -> None:
    """Write what nodes have; nothing at all removes the file."""
    path = elsewhere_file(state)
    if found == Elsewhere():
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_json(path, to_plain(found))
