"""The logs of a job or of an environment: where they are, their last lines, and what is added to them."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
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


def last_lines(path: Path, limit: int) -> list[str]:
    """Return the last lines of a log, those in its earlier files too; none where there is no file."""
    with contextlib.closing(Tail(path)) as tail:
        return tail.begin(limit)


def _last_lines(file: BinaryIO, limit: int) -> list[str]:
    """Read backwards block by block: a log of a month is not read for its last page."""
    position = file.seek(0, os.SEEK_END)
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
    """What is added to one file, whole lines at a time, also while it is rotated (`x.log` to `x.log.1`).

    A file that was cut is read from its start.
    """

    path: Path
    _file: BinaryIO | None = None
    _rest: bytes = b""

    def begin(self, limit: int) -> list[str]:
        """Return the last lines that are there, `limit` at most, and go on behind them."""
        self._file = _open(self.path)
        if self._file is None:
            return []
        lines = _last_lines(self._file, limit)
        self._file.seek(0, os.SEEK_END)
        for path in _earlier(self.path):
            if len(lines) >= limit or (earlier := _open(path)) is None:
                break
            with earlier:
                if _identity(earlier) != _identity(self._file):  # else it was rotated this moment
                    lines = _last_lines(earlier, limit - len(lines)) + lines
        return lines

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._file.close()

    def read(self) -> list[str]:
        """Return the lines added since the last call."""
        lines = []
        for file in self._newer():
            # A newer file is there, so nobody writes to ours any more: it can be read to its end.
            lines += self._take_all(last=True)
            self._file = file
        return lines + self._take_all(last=False)

    def _newer(self) -> list[BinaryIO]:
        """Return the files that were begun after ours, the oldest first."""
        mine = None if self._file is None else _identity(self._file)
        found: dict[tuple[int, int], BinaryIO] = {}
        for path in itertools.chain((self.path,), _earlier(self.path)):
            # A rotation meanwhile moves a file to where we look next: it is met twice, and none is missed.
            if (file := _open(path)) is None:
                continue
            if (identity := _identity(file)) == mine or identity in found:
                file.close()
            else:
                found[identity] = file
            if identity == mine or mine is None:
                break
        return list(found.values())[::-1]

    def _take_all(self, *, last: bool) -> list[str]:
        """Return the lines up to the file's end; half a line waits for its rest unless it is the `last`."""
        if self._file is None:
            return []
        if os.fstat(self._file.fileno()).st_size < self._file.tell():
            self._file.seek(0)
            self._rest = b""
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        if last:
            self._file.close()
            whole, self._rest = [*whole, *([self._rest] if self._rest else [])], b""
        return _decode(whole)


def _open(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except FileNotFoundError:
        return None


def _identity(file: BinaryIO) -> tuple[int, int]:
    found = os.fstat(file.fileno())
    return found.st_dev, found.st_ino


def _earlier(path: Path) -> Iterator[Path]:
    """Yield the files that a log was in before, the newest first: `x.log.1`, `x.log.2`."""
    for number in itertools.count(1):
        earlier = path.with_name(f"{path.name}.{number}")
        if not earlier.exists():
            return
        yield earlier


@dataclass
class Tails:
    """Several files followed as one; new ones are found by asking `find` again."""

    find: Callable[[], Sequence[Path]]
    known: dict[Path, Tail] = field(default_factory=dict)

    def begin(self, limit: int) -> list[tuple[Path, list[str]]]:
        """Return the last lines of each file, `limit` at most, and go on behind them."""
        self.known = {path: Tail(path) for path in self.find()}
        return [(path, tail.begin(limit)) for path, tail in self.known.items()]

    def close(self) -> None:
        """Let go of the files."""
        for tail in self.known.values():
            tail.close()

    def read(self) -> list[tuple[Path, list[str]]]:
        """Return what was added, by file."""
        for path in self.find():
            self.known.setdefault(path, Tail(path))
        added = ((path, tail.read()) for path, tail in self.known.items())
        return [(path, lines) for path, lines in added if lines]
