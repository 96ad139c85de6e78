"""The supervisor's own log: a bounded file, and in the foreground a short line on the terminal too."""

from __future__ import annotations

import logging
import logging.handlers
import os
import sys
from pathlib import Path

__all__ = ["OwnLog", "begin_log", "supervisor_log"]

_BYTES = 4 * 1024 * 1024
_EARLIER_FILES = 2


class OwnLog(logging.handlers.RotatingFileHandler):
    """A file that is begun anew when it is full; stdout and stderr go there where `takes_output`."""

    def __init__(self, path: Path, *, most_bytes: int = _BYTES, takes_output: bool = True) -> None:
        self._takes_output = takes_output
        super().__init__(path, maxBytes=most_bytes, backupCount=_EARLIER_FILES, encoding="utf-8")
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._take_output()

    def doRollover(self) -> None:  # noqa: N802 (the library's name)
        """Begin a new file; what this process and its children print goes there, too."""
        super().doRollover()
        self._take_output()

    def _take_output(self) -> None:
        if self._takes_output and self.stream is not None:
            for descriptor in (1, 2):
                os.dup2(self.stream.fileno(), descriptor)


def supervisor_log(logs: Path) -> Path:
    """Return the supervisor's log in the folder of logs."""
    return logs / "supervisor.log"


def begin_log(logs: Path, *, foreground: bool) -> None:
    """Send what the supervisor logs to its file; in the foreground its stderr stays the terminal's."""
    logs.mkdir(parents=True, exist_ok=True)
    handlers: list[logging.Handler] = [OwnLog(supervisor_log(logs), takes_output=not foreground)]
    if foreground:
        terminal = logging.StreamHandler(sys.stderr)
        terminal.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
        handlers.append(terminal)
    logging.basicConfig(level=logging.INFO, handlers=handlers)
