"""Where the supervisor's commands come from: a pipe of the coordinator; on a node a FIFO in its place."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from protocol.errors import SchemaError
from protocol.supervisor import Command, parse_command

__all__ = ["Control"]

log = logging.getLogger("supervisor")

_READ_BYTES = 65_536
_MOST_BYTES = 65_536
"""Of one line: what is longer is no command of ours."""


class Control:
    """The lines of commands, from a pipe and, where one is named, from a FIFO."""

    def __init__(self, fifo: Path | None = None) -> None:
        """Make the pipe, and the FIFO at that path; `OSError` where it cannot be made."""
        self._read, self.write = os.pipe()
        os.set_blocking(self._read, False)
        self._fifo = fifo
        self._heard = {self._read: b""}
        self.open_fifo()

    def descriptors(self) -> tuple[int, ...]:
        """Return what can be read as soon as a command comes."""
        return tuple(self._heard)

    def open_fifo(self) -> None:
        """Make the FIFO, if there is to be one, or make it again: its folder may have been removed."""
        if self._fifo is None:
            return
        for descriptor in [found for found in self._heard if found != self._read]:
            os.close(descriptor)
            del self._heard[descriptor]
        # Anything else with this name was left by an earlier start; only its owner can write in this folder.
        self._fifo.unlink(missing_ok=True)
        os.mkfifo(self._fifo, 0o600)
        # For writing, too: otherwise it has an end whenever the last writer closes it.
        descriptor = os.open(self._fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        assert stat.S_ISFIFO(os.fstat(descriptor).st_mode)
        self._heard[descriptor] = b""

    def hear(self) -> Iterator[Command]:
        """Yield what has come; a wrong line is refused."""
        for descriptor in self.descriptors():
            with contextlib.suppress(BlockingIOError):
                self._heard[descriptor] += os.read(descriptor, _READ_BYTES)
            *lines, rest = self._heard[descriptor].split(b"\n")
            self._heard[descriptor] = rest if len(rest) <= _MOST_BYTES else b""
            for line in lines:
                try:
                    yield parse_command(line)
                except SchemaError as error:
                    log.warning("a command is refused: %s", error)
