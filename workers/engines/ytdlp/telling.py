"""The lines to the client: JSON on what was stdout when the program began."""

from __future__ import annotations

import json
import os
import time

from protocol.jobs.fetching import FetchLine, FetchProgress
from protocol.schema import to_plain

__all__ = ["Telling"]

_EVERY_S = 0.2


class Telling:
    """Writes lines; whatever else is written to stdout goes to stderr from now on."""

    def __init__(self) -> None:
        self._stream = os.fdopen(os.dup(1), "w", encoding="ascii")
        os.dup2(2, 1)
        self._told_at = 0.0

    def line(self, line: FetchLine) -> None:
        """Write a line. Where nobody reads any more, it is as if a person had pressed Ctrl-C."""
        try:
            self._stream.write(json.dumps(to_plain(line)) + "\n")
            self._stream.flush()
        except BrokenPipeError as error:
            raise KeyboardInterrupt from error

    def progress(self, progress: FetchProgress) -> None:
        """Write how far a film is, unless that was written a moment ago."""
        now = time.monotonic()
        if now - self._told_at >= _EVERY_S:
            self._told_at = now
            self.line(FetchLine(progress=progress))
