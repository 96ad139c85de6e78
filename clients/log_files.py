"""The logs of a job or of an environment: where they are, their last lines, and what is added to them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from clients.asking import no_such_job
from clients.desk import Desk
from clients.job_folder import folder_under
from envspecs.layout import logs_directory, specs_directory
from envspecs.spec import spec_names
from protocol.errors import NotRunningError, UsageError
from protocol.messages import StatusQuery, StatusReport

__all__ = ["Tail", "Tails", "environment_log", "job_logs_folder", "last_lines"]

_BLOCK_BYTES = 65_536
_ASK_MS = 1_500
_ALWAYS = ("supervisor", "coordinator")


def environment_log(home: Path, name: str) -> Path:
    """Return the log of an environment, of the supervisor or of the coordinator; it may not exist yet."""
    known = _known_names(home)
    if name not in known:
        message = f"{name!r} is neither a job nor an environment."
        raise UsageError(message, f"One of these names: {', '.join(known)}. For jobs: cpw status")
    return logs_directory(home) / f"{name}.log"


def _known_names(home: Path) -> list[str]:
    """Return everything that has a log of its own."""
    written = (path.stem for path in logs_directory(home).glob("*.log"))
    return list(dict.fromkeys((*_ALWAYS, *spec_names(specs_directory(home)), *sorted(written))))


def job_logs_folder(desk: Desk, job: str) -> Path:
    """Return the folder of a job's logs.

    The coordinator is asked first: it knows also the jobs whose folders are elsewhere.
    """
    try:
        with desk.connect(desk.runtime) as asker:
            answer: StatusReport = asker.ask(StatusQuery(jobs=(job,)), timeout_ms=_ASK_MS)
    except NotRunningError as error:
        folder = folder_under(desk.out, job)
        if folder is None or not folder.is_dir():
            message = f"The job {job!r} is not in {desk.out}, and the coordinator is not running."
            raise UsageError(message, "make up") from error
        return folder / "logs"
    if not answer.jobs:
        raise no_such_job(job)
    return Path(answer.jobs[0].directory) / "logs"


def last_lines(path: Path, limit: int, end: int | None = None) -> list[str]:
    """Return the last lines of a file, or of its first `end` bytes; none where there is no file."""
    try:
        with path.open("rb") as file:
            return _last_lines(file, limit, end)
    except FileNotFoundError:
        return []


def _last_lines(file: BinaryIO, limit: int, end: int | None) -> list[str]:
    """Read backwards block by block: a log of a month is not read for its last page."""
    position = file.seek(0, os.SEEK_END) if end is None else end
    data = b""
    while position > 0 and data.count(b"\n") <= limit:
        step = min(_BLOCK_BYTES, position)
        position -= step
        file.seek(position)
        data = file.read(step) + data
    return _decode(data.splitlines()[-limit:] if limit else [])


def _decode(lines: Iterable[bytes]) -> list[str]:
    return [line.decode("utf-8", "replace").expandtabs(4).rstrip("\r") for line in lines]


@dataclass
class Tail:
    """What is added to one file, whole lines at a time; a file that was replaced is read from its start."""

    path: Path
    position: int = 0
    inode: int = 0
    rest: bytes = b""

    def skip(self) -> None:
        """Start at what is added from now on."""
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return
        self.position, self.inode = found.st_size, found.st_ino

    def read(self) -> list[str]:
        """Return the lines added since the last call."""
        try:
            with self.path.open("rb") as file:
                found = os.fstat(file.fileno())
                if found.st_ino != self.inode or found.st_size < self.position:
                    self.position, self.inode, self.rest = 0, found.st_ino, b""
                file.seek(self.position)
                data = file.read()
        except FileNotFoundError:
            return []
        self.position += len(data)
        *whole, self.rest = (self.rest + data).split(b"\n")
        return _decode(whole)


@dataclass
class Tails:
    """Several files followed as one; new ones are found by asking `find` again."""

    find: Callable[[], Sequence[Path]]
    known: dict[Path, Tail] = field(default_factory=dict)

    def skip(self) -> None:
        """Start at what is added from now on."""
        for path in self.find():
            self.known[path] = Tail(path)
            self.known[path].skip()

    def read(self) -> list[tuple[Path, list[str]]]:
        """Return what was added, by file."""
        for path in self.find():
            self.known.setdefault(path, Tail(path))
        added = ((path, tail.read()) for path, tail in self.known.items())
        return [(path, lines) for path, lines in added if lines]
