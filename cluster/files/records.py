"""Which calls this node has prepared: on the disk, so that the next process of the relay knows them too."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

from protocol.artefacts import read_json_as, resolve_inside, written_aside
from protocol.clock import now_ms
from protocol.errors import InputError, SchemaError
from protocol.messages import Call, CallIdentity
from protocol.schema import to_plain

__all__ = ["Records"]

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
_CALLS = ".calls"
_LEFT_MS = 86_400_000
"""So long after the end of its budget a call counts as running that nobody has forgotten."""


class Records:
    """The job folders of this node, `<folder>/<job>/`, and in each the calls that it is needed for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.lock = threading.Lock()
        """Held while a call is put on record, and while what no call on record needs is removed."""

    def job_folder(self, job: str) -> Path:
        """Return the job's folder on this node; `InputError` for a name that is no folder's."""
        if not _NAME.fullmatch(job):
            message = f"A job cannot be called {job!r}."
            raise InputError(message)
        return self._folder / job

    def begin(self, identity: CallIdentity, call: Call) -> None:
        """Note a call as it is done here. Raises `OSError`."""
        path = self._path(identity)
        with self.lock:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Not synced to the disk: a power cut ends the call, too.
            with written_aside(path) as aside:
                aside.write_text(json.dumps(to_plain(call)), encoding="utf-8")
            # What was used last goes last.
            os.utime(path.parent.parent)

    def find(self, identity: CallIdentity) -> Call | None:
        """Return the call as it is done here; None where no job folder of this node is used for it."""
        return _read(self._path(identity))

    def end(self, identity: CallIdentity) -> None:
        """Forget a call; its scratch folder goes."""
        call = self.find(identity)
        if call is not None:
            scratch = resolve_inside(self.job_folder(identity.job), call.scratch)
            shutil.rmtree(scratch, ignore_errors=True)
        with contextlib.suppress(OSError):
            self._path(identity).unlink()

    def job_folders(self) -> list[Path]:
        """Return the folders of all jobs that there are."""
        return [path for path in self._folder.iterdir() if path.is_dir()] if self._folder.is_dir() else []

    def running(self, job_folder: Path) -> Iterator[Call]:
        """Yield the calls that the folder is needed for."""
        for path in (job_folder / _CALLS).glob("*.json"):
            call = _read(path)
            with contextlib.suppress(OSError):
                age_ms = now_ms() - path.stat().st_mtime * 1000
                if call is not None and age_ms < call.budget_ms + _LEFT_MS:
                    yield call

    def _path(self, identity: CallIdentity) -> Path:
        name = f"{identity.step}-{identity.attempt}"
        if not _NAME.fullmatch(name):
            message = f"A step cannot be called {identity.step!r}."
            raise InputError(message)
        return self.job_folder(identity.job) / _CALLS / f"{name}.json"


def _read(path: Path) -> Call | None:
    try:
        return read_json_as(Call, path)
    except (OSError, ValueError, SchemaError):
        return None
