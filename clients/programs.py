"""A program of the environment common, run once for one answer.

Subtitles are read and written by that environment's engines, and a client must not import them.
"""

from __future__ import annotations

import contextlib
import json
import signal
from collections.abc import Iterator, Sequence
from typing import Any

from clients.desk import Desk
from envspecs.builds.installed import run_in
from envspecs.layout import COMMON
from protocol.errors import BugError, ErrorInfo, ExitCode, error_from_info
from protocol.schema import from_plain

__all__ = ["ask_once"]

_ENDS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def _ended_like_ctrl_c() -> Iterator[None]:
    """Let a closed terminal or a `kill` end the program, as Ctrl-C does, instead of leaving it at work."""
    before = {end: signal.signal(end, signal.default_int_handler) for end in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ask_once(desk: Desk, module: str, words: Sequence[str], task: str) -> dict[str, Any]:
    """Return the one JSON document that `workers.engines.common.<module>` writes to stdout.

    Its stderr is the person's. Raises what the program says went wrong (`{"error": ...}`), `MissingError`
    where the environment is not built, `BugError` where `task` ("The check of film.srt") got no answer.
    """
    program = ("-I", "-m", f"workers.engines.common.{module}")
    with _ended_like_ctrl_c():
        ended = run_in(COMMON, [*program, *words], desk.home, capture=True)
    try:
        document = json.loads(ended.stdout)
    except ValueError as error:
        if ended.returncode == ExitCode.INTERRUPTED:
            raise KeyboardInterrupt from error
        message = f"{task} ended without an answer (exit code {ended.returncode})."
        raise BugError(message, f"python3 -m envspecs build {COMMON}") from error
    if "error" in document:
        raise error_from_info(from_plain(ErrorInfo, document["error"]))
    return dict(document)
