"""Files that calls leave: each has a path relative to the job folder, a size and a sha256."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from protocol.errors import InputError
from protocol.schema import from_json

__all__ = [
    "KEPT",
    "Artefact",
    "FilmFile",
    "check_artefact",
    "describe_file",
    "describe_film",
    "kept_beside",
    "read_json_as",
    "resolve_inside",
    "spoilt_file",
    "sync_directory",
    "sync_file",
    "write_json",
    "write_whole",
    "written_aside",
]

T = TypeVar("T")

_CHUNK_BYTES = 1 << 20
KEPT = ".kept"
"""How the folder of what a step keeps from one attempt to the next is called at its end."""
_CODE = ".py"
_ATTEMPT = re.compile(r"-\d+$")


@dataclass(frozen=True, kw_only=True)
class Artefact:
    """A file of a job. `path` is POSIX, relative to the job folder; `size` in bytes."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class FilmFile:
    """A film as the disk knows it, without its contents; `size` in bytes."""

    path: str
    size: int
    device: int
    inode: int
    modified_ns: int

    def is_same_file(self, other: FilmFile) -> bool:
        """Return whether both are one file, by whatever names, that nobody wrote to in between."""
        mine = (self.device, self.inode, self.size, self.modified_ns)
        return mine == (other.device, other.inode, other.size, other.modified_ns)


def resolve_inside(root: Path, relative: str) -> Path:
    """Return `root / relative`; refuse a path that is absolute or climbs out of `root`."""
    pure = PurePosixPath(relative)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts or "\0" in relative:
        message = f"The path {relative!r} leads out of the job folder {root}."
        raise InputError(message)
    return root.joinpath(*pure.parts)


def kept_beside(scratch: str) -> str:
    """Return the folder, relative to the job folder, of what a step keeps from one attempt to the next.

    `scratch` is the scratch folder of any of its attempts, `.scratch/<step>-<attempt>`.
    """
    return f"{_ATTEMPT.sub('', scratch)}{KEPT}"


def describe_file(path: Path, name: str, check: Callable[[], None] | None = None) -> Artefact:
    """Measure and hash the file at `path`, to be known as `name`; `check` is called at every MiB."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            if check is not None:
                check()
            digest.update(chunk)
            size += len(chunk)
    return Artefact(path=name, size=size, sha256=digest.hexdigest())


def describe_film(path: Path) -> FilmFile:
    """Return what the disk knows of the film at `path`; `InputError` where it cannot be asked."""
    try:
        found = path.stat()
    except OSError as error:
        message = f"The film {path} cannot be read: {error.strerror}."
        raise InputError(message, "Give the path of a film that is there and that you may read.") from error
    return FilmFile(
        path=str(path),
        size=found.st_size,
        device=found.st_dev,
        inode=found.st_ino,
        modified_ns=found.st_mtime_ns,
    )


def check_artefact(artefact: Artefact, path: Path) -> None:
    """Raise `InputError` unless the file at `path` has the size and sha256 of `artefact`."""
    if not path.is_file():
        message = f"The file {path} is gone."
        raise InputError(message)
    found = describe_file(path, artefact.path)
    if found != artefact:
        message = f"The file {path} is not the one that was made: its size or sha256 differs."
        raise InputError(message)


def sync_file(path: Path) -> None:
    """Write the bytes of the file to the disk (fsync)."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_directory(path: Path) -> None:
    """Write the names in the directory to the disk (fsync), so that a rename survives a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def written_aside(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; what is there becomes `path` unless something is raised."""
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        yield aside
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def spoilt_file(folder: Path, files: Mapping[str, tuple[int, str]]) -> str:
    """Return the first of a model's files that is not as it was fetched; empty where there is none.

    `files` is name to size and sha256. Sizes are compared, and of code that the model brings, which is going
    to be run, the hashes too; code that is not in `files` is spoilt.
    """
    for name, (size, sha256) in files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size != size:
            return name
        if path.suffix == _CODE and describe_file(path, name).sha256 != sha256:
            return name
    return next((path.name for path in folder.glob(f"*{_CODE}") if path.name not in files), "")


def write_whole(path: Path, data: bytes) -> None:
    """Write `data` to `path` whole or not at all: aside, fsync, rename. An `OSError` names `path`."""
    try:
        with written_aside(path) as aside, aside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        # A person does not know the temporary file, and the error of a full disk names no file.
        error.filename, error.filename2 = str(path), None
        raise
    sync_directory(path.parent)


def write_json(path: Path, value: Any) -> None:
    """Write plain `value` as readable UTF-8 JSON, whole or not at all."""
    write_whole(path, (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode())


def read_json_as(kind: type[T], path: Path, *, nan: bool = False) -> T:
    """Return the JSON document in the file at `path` as a `kind`; unknown keys are ignored.

    `nan` as in `protocol.schema.from_json`.

    Raises `OSError` where the file cannot be read, `ValueError` where it is not JSON, and `SchemaError`,
    which begins with the file's name, where the document is not a `kind`.
    """
    return from_json(kind, path.read_bytes(), path=path.name, nan=nan)
