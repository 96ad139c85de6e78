"""The program that fetches one address, run in the environment that has it."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from clients.programs import ended_like_ctrl_c
from envspecs.builds.installed import interrupt, start_in
from envspecs.choosing import program_for
from protocol.errors import BugError, SchemaError
from protocol.jobs.fetching import FetchLine, FetchOrder
from protocol.schema import from_json, to_plain

__all__ = ["TASK", "fetch"]

TASK = "fetch"


def fetch(home: Path, order: FetchOrder, see: Callable[[FetchLine], None]) -> None:
    """Have the address fetched; `see` gets each line as it comes. Ctrl-C ends the program, too.

    Raises `MissingError` where the environment is not built, `BugError` where the program gave up midway.
    """
    spec, module = program_for(TASK, home)
    with tempfile.TemporaryFile() as said, ended_like_ctrl_c():
        process = start_in(spec.name, ("-I", "-m", module), home, stderr=said)
        with process:
            try:
                done = _talk(process.stdin, process.stdout, order, see)
                process.wait()
            except BaseException:
                # Whatever ends this command ends the program: nobody would see what it fetches.
                interrupt(process)
                raise
        if not done:
            reason = _last_line(said)
            message = f"The fetch of {order.address} ended without an answer{reason}."
            raise BugError(message, f"cpw envs upgrade {spec.name}")


def _talk(
    stdin: IO[bytes] | None, stdout: IO[bytes] | None, order: FetchOrder, see: Callable[[FetchLine], None]
) -> bool:
    """Give the order, pass the lines on, and return whether the last one came."""
    assert stdin is not None, "it was started with pipes"
    assert stdout is not None, "it was started with pipes"
    with contextlib.suppress(BrokenPipeError), stdin:
        stdin.write(json.dumps(to_plain(order)).encode())
    for text in stdout:
        try:
            line = from_json(FetchLine, text)
        except (ValueError, SchemaError):
            return False
        if line.done:
            return True
        see(line)
    return False


def _last_line(said: IO[bytes]) -> str:
    said.seek(0)
    lines = said.read().decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1].strip().rstrip('.')}" if lines else ""
