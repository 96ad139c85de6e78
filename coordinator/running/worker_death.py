"""A worker's death during a call: whose fault it is, and what its stack and its last output say."""

from __future__ import annotations

from pathlib import Path

from coordinator.running.roster import Member
from coordinator.store.store import JobRow, StepRow
from protocol.cluster.names import node_of
from protocol.errors import ErrorInfo, ErrorKind, WorkerExit
from protocol.supervisor import ChildExit, child_of

__all__ = ["describe_death", "is_blamed"]

_TAIL_LINES = 40
_TAIL_BYTES = 20_000


def describe_death(job: JobRow, step: StepRow, how: ChildExit) -> ErrorInfo:
    """Return the error of an attempt whose worker died; `how` is the exit that the supervisor recorded."""
    details = how.stack_text or (_end_of(Path(how.stack)) if how.stack else "")
    tail = _end_of(job.directory / "logs" / f"{step.name}.log").splitlines()[-_TAIL_LINES:]
    if tail:
        details += "\nlast output:\n" + "\n".join(tail)
    if details.startswith("Timeout"):
        kind, end = ErrorKind.HUNG, "took longer than its budget and was ended"
    else:
        kind, end = ErrorKind.CRASHED, "died"
    worker = child_of(step.worker, step.environment)
    if node := node_of(step.worker):
        worker += f" on {node}"
    message = f"The worker {worker} {end} in {step.name} (attempt {step.attempt})."
    return ErrorInfo(kind=kind, message=message, remedy=f"cpw logs {job.id}", details=details)


def is_blamed(step: StepRow, member: Member, how: ChildExit) -> bool:
    """Return whether the step counts as what killed the worker; `how` is the recorded exit, bare if unknown.

    Not where the worker ended on purpose (recycled, replaced, drained), and not a step that it had not begun
    or had interrupted.
    """
    recycled = how.code == WorkerExit.RECYCLED
    told_to_end = member.leaving or member.state == "draining"
    return not (recycled or told_to_end or step.identity in (member.ahead, *member.interrupted))


def _end_of(path: Path) -> str:
    """Return the end of a log; empty where it cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""
