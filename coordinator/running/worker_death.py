"""Describes a worker's death during a call, from the files that it left: its stack and its last output."""

from __future__ import annotations

from pathlib import Path

from coordinator.store.store import JobRow, StepRow
from protocol.errors import ErrorInfo, ErrorKind
from protocol.supervisor import ChildExit, child_of

__all__ = ["describe_death"]

_TAIL_LINES = 40
_TAIL_BYTES = 20_000


def describe_death(job: JobRow, step: StepRow, how: ChildExit) -> ErrorInfo:
    """Return the error of an attempt whose worker died; `how` is the exit that the supervisor recorded."""
    details = _end_of(Path(how.stack)) if how.stack else ""
    tail = _end_of(job.directory / "logs" / f"{step.name}.log").splitlines()[-_TAIL_LINES:]
    if tail:
        details += "\nlast output:\n" + "\n".join(tail)
    if details.startswith("Timeout"):
        kind, end = ErrorKind.HUNG, "took longer than its budget and was ended"
    else:
        kind, end = ErrorKind.CRASHED, "died"
    worker = child_of(step.worker, step.environment)
    message = f"The worker {worker} {end} in {step.name} (attempt {step.attempt})."
    return ErrorInfo(kind=kind, message=message, remedy=f"cpw logs {job.id}", details=details)


def _end_of(path: Path) -> str:
    """Return the end of a log; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
