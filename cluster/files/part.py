"""A file on its way to this node: what is there of it outlives a fetch that is broken off."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from protocol.errors import CpwError, DiskFullError, TransientError

__all__ = ["Part", "node_disk_error", "opened"]

_CHUNK_BYTES = 1 << 20
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class Part:
    """The bytes that are there, in order, and their sha256."""

    def __init__(self, path: Path, file: BinaryIO) -> None:
        self.path = path
        self._file = file
        self._digest = hashlib.sha256()
        self.size = 0
        """Bytes that are there."""
        while chunk := file.read(_CHUNK_BYTES):
            self._digest.update(chunk)
            self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """The hash of what is there."""
        return self._digest.hexdigest()

    def add(self, chunk: memoryview) -> None:
        """Write on."""
        try:
            self._file.write(chunk)
        except OSError as error:
            raise node_disk_error(error, self.path) from error
        self._digest.update(chunk)
        self.size += len(chunk)

    def empty(self) -> None:
        """Begin anew."""
        self._file.truncate(0)
        self._file.seek(0)
        self._digest = hashlib.sha256()
        self.size = 0

    def sync(self) -> None:
        """Write it to the disk (fsync)."""
        try:
            os.fsync(self._file.fileno())
        except OSError as error:
            raise node_disk_error(error, self.path) from error


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Part]:
    """Open the file for one fetch at a time, of all threads and processes: others wait until it is done."""
    try:
        file = _locked(path)
    except OSError as error:
        raise node_disk_error(error, path) from error
    with file:
        yield Part(path, file)


def _locked(path: Path) -> BinaryIO:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        file = os.fdopen(descriptor, "r+b", buffering=0)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            # Who had it before may have put it in its place, or thrown it away: ours has no name then.
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(descriptor), path.stat()):
                    return file
        except BaseException:
            file.close()
            raise
        file.close()


def node_disk_error(error: OSError, path: Path) -> CpwError:
    """Return the error of this node's disk as a person is told it."""
    if error.errno in _FULL:
        message = f"No space is left on the disk of the node {os.uname().nodename} ({path.parent})."
        return DiskFullError(message, "Make room there, then: cpw resume")
    message = f"{path} cannot be written on the node {os.uname().nodename}: {error.strerror}."
    return TransientError(message, "Look at the disk of that node.")
