"""One command at a time changes this machine's part in a cluster."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from envspecs.cluster.settings import closed_folder
from protocol.errors import UsageError

__all__ = ["alone_here"]


@contextlib.contextmanager
def alone_here(state: Path) -> Iterator[None]:
    """Hold the folder of the settings; `UsageError` where another command has it.

    The kernel holds the lock on the folder itself: it ends with this process, and leaves no file.
    """
    with closed_folder(state) as folder:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            message = "Another command changes this machine's part in a cluster just now."
            raise UsageError(message, "Let it end; then see: cpw cluster status") from error
        yield
    finally:
        os.close(descriptor)
