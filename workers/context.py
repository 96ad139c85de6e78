"""What a running call may use: its inputs, its scratch folder, its progress."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

from protocol.artefacts import (
    Artefact,
    describe_file,
    kept_beside,
    resolve_inside,
    sync_directory,
    sync_file,
)
from protocol.errors import CancelledError, InputError
from protocol.failpoints import reach
from workers.engine import Models

__all__ = ["CallContext"]

_PROGRESS_EVERY_S = 0.1


class CallContext:
    """What one call may use. Implements `workers.engine.Context`."""

    def __init__(
        self,
        job_folder: Path,
        scratch: str,
        folder: str,
        models: Models,
        report: Callable[[float, str], None],
        *,
        debug: bool = False,
    ) -> None:
        self.models = models
        self.debug = debug
        self.cancelled = threading.Event()
        self._job_folder = job_folder
        self._scratch = resolve_inside(job_folder, scratch)
        self._kept = resolve_inside(job_folder, kept_beside(scratch))
        self._folder = folder
        self._report = report
        self._reported_at = 0.0
        self._manifest: dict[str, Artefact] = {}

    def prepare(self) -> None:
        """Empty the scratch folder: an earlier attempt may have died in it."""
        if self._scratch.exists():
            shutil.rmtree(self._scratch)
        reach("worker.call.scratch-emptied")

    def discard(self) -> None:
        """Remove the scratch folder of a call that failed."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        reach("worker.failure.scratch-discarded")

    def input(self, artefact: Artefact) -> Path:
        """Return the absolute path of an input, its presence and size checked."""
        path = resolve_inside(self._job_folder, artefact.path)
        if not path.is_file() or path.stat().st_size != artefact.size:
            message = f"{path} is missing, or has changed since it was made."
            raise InputError(message, "Submit the film again.")
        return path

    def output(self, name: str) -> Path:
        """Return the path in the scratch folder at which to write the file `name`."""
        path = resolve_inside(self._scratch, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def kept(self, name: str) -> Path:
        """Return the path of a file that the next attempt at the step finds again."""
        path = resolve_inside(self._kept, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def publish(self, name: str) -> Artefact:
        """Sync and hash the file `name`; return it with its path in the job folder."""
        path = self.output(name)
        reach("worker.publish.written")
        sync_file(path)
        sync_directory(path.parent)
        reach("worker.publish.synced")
        artefact = describe_file(path, f"{self._folder}/{name}")
        self._manifest[name] = artefact
        reach("worker.publish.hashed")
        return artefact

    def manifest(self) -> tuple[Artefact, ...]:
        """Return what the call has published."""
        return tuple(self._manifest.values())

    def progress(self, fraction: float, note: str = "") -> None:
        """Tell how far the call is; raises `CancelledError` where somebody cancelled the call.

        About ten times a second at most it is passed on, and another call may then be done meanwhile.
        """
        self._end_if_cancelled()
        now = time.monotonic()
        if now - self._reported_at >= _PROGRESS_EVERY_S:
            self._reported_at = now
            # The number may have a type of a model library, which no message can hold.
            self._report(min(1.0, max(0.0, float(fraction))), str(note))
            self._end_if_cancelled()

    def _end_if_cancelled(self) -> None:
        if self.cancelled.is_set():
            message = "The job was cancelled."
            raise CancelledError(message)
