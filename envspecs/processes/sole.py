"""Only one supervisor has a state folder and a runtime directory; the lock of the first tells who it is."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

from protocol.artefacts import read_json_as
from protocol.endpoints import prepare_runtime_directory
from protocol.errors import NotRunningError, SchemaError
from protocol.schema import to_plain
from protocol.supervisor import SupervisorReport

__all__ = ["RuntimeLock", "hold_state", "holder_of"]

_LOCK = "supervisor.lock"


@contextlib.contextmanager
def hold_state(state: Path, me: SupervisorReport) -> Iterator[None]:
    """Lock the state folder and write into the lock who holds it.

    The runtime directory can vanish, as at a logout, and its lock with it; this one stays. Raises
    `NotRunningError` where another supervisor holds the folder.
    """
    state.mkdir(parents=True, exist_ok=True)
    path = state / _LOCK
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = holder_of(state)
            who = f"process {holder.pid}" if holder is not None else "another process"
            message = f"A supervisor runs already on {state}: {who}."
            raise NotRunningError(message, "make down") from error
        # In place: a file that is renamed over the lock would be another lock.
        with contextlib.suppress(OSError):  # a full disk: then only the runtime directory tells who it is
            lock.truncate(0)
            lock.write(json.dumps(to_plain(me)).encode())
            lock.flush()
        yield


def holder_of(state: Path) -> SupervisorReport | None:
    """Return which supervisor locked the state folder last, dead or alive; None where nothing says so."""
    try:
        return read_json_as(SupervisorReport, state / _LOCK)
    except (OSError, ValueError, SchemaError):
        return None


class RuntimeLock:
    """The lock of a runtime directory, which is made where it is missing; a context manager."""

    def __init__(self, runtime: Path) -> None:
        self._runtime = runtime
        self._file = -1

    def __enter__(self) -> RuntimeLock:
        """Make the directory and lock it; `NotRunningError` where another supervisor has it."""
        self._hold()
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the directory."""
        os.close(self._file)

    def is_held(self) -> bool:
        """Return whether the lock is still the file in the directory: somebody may have removed it."""
        try:
            found = (self._runtime / _LOCK).stat()
        except OSError:
            return False
        mine = os.fstat(self._file)
        return (found.st_dev, found.st_ino) == (mine.st_dev, mine.st_ino)

    def hold_again(self) -> None:
        """Make and lock the directory anew; raises as `__enter__`, and then holds what it held."""
        lost = self._file
        self._hold()
        os.close(lost)

    def _hold(self) -> None:
        prepare_runtime_directory(self._runtime)
        file = os.open(self._runtime / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(file)
            message = f"A supervisor runs already on {self._runtime}."
            raise NotRunningError(message, "make down") from error
        self._file = file
