"""What a worker died of under a call, in words: its stack and the last that it said. Files in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coordinator.store.store import JobRow, StepRow
from protocol.errors import ErrorInfo, ErrorKind

__all__ = ["describe_death"]

_TAIL_LINES = 40
_TAIL_BYTES = 20_000


def describe_death(job: JobRow, step: StepRow, gone: Mapping[str, object]) -> ErrorInfo:
    """Return the error of an attempt whose worker died; `gone` is what the supervisor wrote of it."""
    details = _end_of(Path(str(gone["stack"]))) if gone.get("stack") else ""
    tail = _end_of(job.directory / "logs" / f"{step.name}.log").splitlines()[-_TAIL_LINES:]
    if tail:
        details += "\nlast output:\n" + "\n".join(tail)
    if details.startswith("Timeout"):
        kind, how = ErrorKind.HUNG, "took longer than its budget and was ended"
    else:
        kind, how = ErrorKind.CRASHED, "died"
    message = f"The worker {step.environment} {how} in {step.name} (attempt {step.attempt})."
    return ErrorInfo(kind=kind, message=message, remedy=f"cpw logs {job.id}", details=details)


def _end_of(path: Path) -> str:
    """Return the end of a text that is there for people; a file that cannot be read has none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
