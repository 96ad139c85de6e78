"""Lines that a worker puts into its own output to say which call the following lines belong to.

The reader is another process (`envspecs.processes.guardian`), so the lines of a call survive its worker,
and a library that prints while it holds the GIL can never fill a pipe that only its own process would empty.
A mark carries a nonce from the command line: text that a library prints cannot pass for one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from protocol.errors import SchemaError
from protocol.schema import from_json, to_plain

__all__ = ["Mark", "parse_mark", "render_mark"]

_START = "\x1e"


@dataclass(frozen=True, kw_only=True)
class Mark:
    """The lines that follow belong to this call; all fields empty: to no call."""

    job: str = ""
    step: str = ""
    attempt: int = 0
    log: str = ""
    """Absolute path of the job's log file for this step."""


def render_mark(mark: Mark, nonce: str) -> bytes:
    """Return the mark as one line of bytes."""
    return f"\n{_START}{nonce} {json.dumps(to_plain(mark))}\n".encode()


def parse_mark(line: str, nonce: str) -> Mark | None:
    """Return the mark that `line` is, or None where it is a line of output."""
    if not nonce or not line.startswith(f"{_START}{nonce} "):
        return None
    try:
        return from_json(Mark, line.partition(" ")[2])
    except (ValueError, SchemaError):
        return None
