"""One builder at a time: a lock on a file, held by the kernel, so that it ends with its process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from envspecs.report import Report
from protocol.errors import DiskFullError, UsageError

__all__ = ["exclusive", "require_space"]


@contextmanager
def exclusive(path: Path, what: str, report: Report) -> Iterator[int]:
    """Hold the lock file at `path`; say that another holds it before waiting for it.

    Yields the descriptor: a child that inherits it keeps the lock for as long as it writes, even where
    this process is killed.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        message = f"{path.parent} cannot be written: {error.strerror}."
        raise UsageError(message, "Give it to yourself, or work in a checkout of your own.") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report.line(f"{what} is being made by another process; waiting for it.")
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)


def require_space(folder: Path, needed: int, free: int) -> None:
    """Raise `DiskFullError` where fewer bytes are free than will be needed."""
    if free < needed:
        message = f"{folder} has {free >> 20} MiB free; {needed >> 20} MiB are needed."
        raise DiskFullError(message, "Make room, then run the same command again.")
