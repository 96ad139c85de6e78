"""A model of the head's store put into this node's: file by file, its manifest last, whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from cluster.files.head_door import HeadDoor
from cluster.files.part import opened
from envspecs.builds.guard import exclusive, require_space
from envspecs.models.fetch import put_in_place
from envspecs.models.fetching import stored_bytes
from envspecs.models.registry import MANIFEST, Manifest, StoredFile, has_model
from envspecs.report import Silent
from protocol.artefacts import Artefact, resolve_inside, sync_directory, write_json
from protocol.errors import InputError, SchemaError, TransientError
from protocol.schema import from_plain, to_plain

__all__ = ["fetch_from_head"]

_FILES = "files"


def fetch_from_head(head: HeadDoor, identity: str, store: Path) -> Path:
    """Fetch the model unless the store has it, and return its folder.

    What came of it outlives a fetch that is broken off. Raises `InputError` where the head has no such model,
    `TransientError`, `DiskFullError`.
    """
    target = store / identity
    if target.parent != store or identity.startswith("."):
        message = f"A model cannot be called {identity!r}."
        raise InputError(message)
    with exclusive(store / f".{identity}.lock", f"The model {identity}", Silent()):
        if has_model(identity, store):
            return target
        manifest = _manifest(head, identity)
        staging = store / f".{identity}.from-head"
        files = staging / _FILES
        files.mkdir(parents=True, exist_ok=True)
        _forget_others(files, manifest.files)
        size = sum(file.size for file in manifest.files.values())
        require_space(store, size - stored_bytes(files), shutil.disk_usage(store).free)
        for name, file in manifest.files.items():
            _bring(head, identity, name, file, files)
        write_json(files / MANIFEST, to_plain(manifest))
        put_in_place(files, target)
        shutil.rmtree(staging, ignore_errors=True)
    return target


def _manifest(head: HeadDoor, identity: str) -> Manifest:
    plain = head.ask(f"/api/cluster/models/{identity}")
    try:
        manifest = from_plain(Manifest, plain)
        for name in manifest.files:
            resolve_inside(Path(), name)
    except (SchemaError, InputError) as error:
        message = f"The head's manifest of the model {identity} is not one: {error.message}"
        raise TransientError(message, f"On the head: cpw models verify {identity}") from error
    return manifest


def _forget_others(files: Path, wanted: Mapping[str, StoredFile]) -> None:
    """Remove what an earlier fetch brought of another model of this name."""
    for path in files.rglob("*"):
        if path.is_file() and str(path.relative_to(files)) not in wanted:
            path.unlink()


def _bring(head: HeadDoor, identity: str, name: str, file: StoredFile, files: Path) -> None:
    path = resolve_inside(files, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    wanted = Artefact(path=f"{identity}/{name}", size=file.size, sha256=file.sha256)
    with opened(path) as part:
        head.bring(f"/api/cluster/models/{identity}/files/{name}", wanted, part)
    sync_directory(path.parent)
