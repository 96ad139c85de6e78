"""The one tree of errors, and an error as words that can travel.

CpwError
├── InputError        the film or file cannot be used: fail at once, one sentence for the person
├── UsageError        what the person wrote is wrong
├── MissingError      an environment or a model is not there; `remedy` is the command that mends it
├── NotRunningError   nobody answers, or the worker that is needed is not up
├── TransientError    may pass: retry with back-off
├── ResourceError     memory or disk ran out: make room, then retry
│   └── DiskFullError no space left: stop with that sentence until there is room
├── BugError          our fault or a library's: one retry, then fail with the traceback
├── CancelledError    the person asked for it
└── WireError         a message that is refused
    ├── SchemaError   a value is not of its field's type; `path` names the field
    └── VersionError  no wire version in common
"""

from __future__ import annotations

import enum
import errno
import traceback
from dataclasses import dataclass
from typing import ClassVar

__all__ = [
    "BugError",
    "CancelledError",
    "CpwError",
    "DiskFullError",
    "ErrorInfo",
    "ErrorKind",
    "ExitCode",
    "InputError",
    "MissingError",
    "NotRunningError",
    "Problem",
    "ResourceError",
    "SchemaError",
    "TransientError",
    "UsageError",
    "VersionError",
    "WireError",
    "WorkerExit",
    "error_from_info",
    "info_from_error",
]


class ExitCode(enum.IntEnum):
    """Exit codes of every command; `docs/cli.md` lists them."""

    DONE = 0
    JOB_FAILED = 1
    USAGE = 2
    MISSING = 3
    NOT_RUNNING = 4
    INTERRUPTED = 130


class WorkerExit(enum.IntEnum):
    """Exit codes by which a worker tells its supervisor why it went."""

    DRAINED = 0
    HUNG = 1
    """`faulthandler` ends a call that outlives its budget with this code; it cannot be chosen."""
    OUTDATED = 78
    """The coordinator refused the handshake: one of the two runs the code of before a change."""
    UNUSABLE = 79
    """The engines cannot be imported or their models cannot be loaded."""
    RECYCLED = 80
    """Its memory did not come back when its models were let go of: a new process takes its place."""


class ErrorKind(str, enum.Enum):
    """How a failed call is treated."""

    INPUT = "input"
    USAGE = "usage"
    MISSING = "missing"
    NOT_RUNNING = "not_running"
    TRANSIENT = "transient"
    RESOURCE = "resource"
    DISK_FULL = "disk_full"
    BUG = "bug"
    CANCELLED = "cancelled"
    WIRE = "wire"
    CRASHED = "crashed"
    """Concluded by the coordinator when a worker died under a call; never sent by a worker."""
    HUNG = "hung"
    """Concluded by the coordinator when a call outlived its budget; never sent by a worker."""


class CpwError(Exception):
    """Root of everything that is raised on purpose.

    `message` is a whole sentence for a person; `remedy` is what to do now, may be empty.
    """

    kind: ClassVar[ErrorKind] = ErrorKind.BUG

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InputError(CpwError):
    """The film or file cannot be used."""

    kind = ErrorKind.INPUT


class UsageError(CpwError):
    """What the person wrote is wrong."""

    kind = ErrorKind.USAGE


class MissingError(CpwError):
    """An environment or a model is not there."""

    kind = ErrorKind.MISSING


class NotRunningError(CpwError):
    """Nobody answers, or the worker that is needed is not up."""

    kind = ErrorKind.NOT_RUNNING


class TransientError(CpwError):
    """May pass by itself."""

    kind = ErrorKind.TRANSIENT


class ResourceError(CpwError):
    """Memory ran out."""

    kind = ErrorKind.RESOURCE


class DiskFullError(ResourceError):
    """No space is left where the job writes."""

    kind = ErrorKind.DISK_FULL


class BugError(CpwError):
    """Our fault or a library's."""

    kind = ErrorKind.BUG


class CancelledError(CpwError):
    """The person asked for it."""

    kind = ErrorKind.CANCELLED


class WireError(CpwError):
    """A message that is refused."""

    kind = ErrorKind.WIRE


class SchemaError(WireError):
    """A value is not of its field's type; `path` names the field, as `AsrRequest.hotwords[1]`."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem

    def inside(self, path: str) -> SchemaError:
        """Return the error of the value at `path` in which this error's value lies."""
        return SchemaError(path + self.path, self.problem)


class VersionError(WireError):
    """No wire version in common."""


@dataclass(frozen=True, kw_only=True)
class ErrorInfo:
    """An error as words: what travels, what is stored, what is shown."""

    kind: ErrorKind
    message: str
    remedy: str = ""
    details: str = ""
    """Traceback, stack or tail of output; for the log, not for the screen."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that keeps a machine from working, and what to do about it."""

    sentence: str
    remedy: str


_MAX_MESSAGE = 2_000
_MAX_DETAILS = 50_000
_FOREIGN_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})


def info_from_error(error: BaseException) -> ErrorInfo:
    """Turn an exception into words; what is not ours is a bug, but for memory and disk."""
    # Both travel and are stored: a library that puts a tensor into its message must not stop that.
    details = "".join(traceback.format_exception(type(error), error, error.__traceback__))[-_MAX_DETAILS:]
    if isinstance(error, CpwError):
        shown = details if error.kind is ErrorKind.BUG else ""
        return ErrorInfo(kind=error.kind, message=error.message, remedy=error.remedy, details=shown)
    if isinstance(error, OSError) and error.errno in _FOREIGN_DISK:
        place = f" ({error.filename})" if error.filename else ""
        return ErrorInfo(
            kind=ErrorKind.DISK_FULL,
            message=f"No space is left on the disk{place}.",
            remedy="Make room, then: cpw resume",
            details=details,
        )
    # torch raises its own RuntimeError subclass named OutOfMemoryError; torch cannot be imported here.
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return ErrorInfo(kind=ErrorKind.RESOURCE, message="Memory ran out.", details=details)
    name = type(error).__name__
    return ErrorInfo(kind=ErrorKind.BUG, message=f"{name}: {error}"[:_MAX_MESSAGE], details=details)


_BY_KIND: dict[ErrorKind, type[CpwError]] = {
    error_class.kind: error_class
    for error_class in (
        InputError,
        UsageError,
        MissingError,
        NotRunningError,
        TransientError,
        ResourceError,
        DiskFullError,
        BugError,
        CancelledError,
        WireError,
    )
}


def error_from_info(info: ErrorInfo) -> CpwError:
    """Return the error that `info` describes, to be raised on this side of the wire."""
    return _BY_KIND.get(info.kind, BugError)(info.message, info.remedy)
