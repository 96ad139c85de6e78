"""A program of the environment common, run once for one answer.

Subtitles are read and written by that environment's engines, and a client must not import them.
"""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from clients.desk import Desk
from envspecs.builds.installed import run_in
from envspecs.layout import COMMON
from protocol.errors import BugError, ExitCode, SchemaError, error_from_info
from protocol.messages import Refused
from protocol.schema import from_json, from_plain

__all__ = ["ask_once", "ask_program", "ended_like_ctrl_c"]

T = TypeVar("T")

_ENDS = (signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def ended_like_ctrl_c() -> Iterator[None]:
    """Let a closed terminal or a `kill` end the program, as Ctrl-C does, instead of leaving it at work."""
    before = {end: signal.signal(end, signal.default_int_handler) for end in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ask_once(desk: Desk, module: str, words: Sequence[str], kind: type[T], task: str) -> T:
    """Run a program for a person at a terminal, whose Ctrl-C ends it; else as `ask_program`."""
    with ended_like_ctrl_c():
        return ask_program(desk, module, words, kind, task)


def ask_program(desk: Desk, module: str, words: Sequence[str], kind: type[T], task: str) -> T:
    """Run `workers.engines.common.<module>` and return the `kind` that it writes to stdout as JSON.

    Its stderr is the person's. Raises what the program says went wrong (`Refused`), `MissingError` where the
    environment is not built, `BugError` where `task` ("The check of film.srt") got no answer.
    """
    program = ("-I", "-m", f"workers.engines.common.{module}")
    ended = run_in(COMMON, [*program, *words], desk.home, capture=True)
    try:
        plain = from_json(dict[str, Any], ended.stdout)
        refused = "error" in plain
        answer: T | Refused = from_plain(Refused, plain) if refused else from_plain(kind, plain)
    except (ValueError, SchemaError) as error:
        if ended.returncode == ExitCode.INTERRUPTED:
            raise KeyboardInterrupt from error
        message = f"{task} ended without an answer (exit code {ended.returncode})."
        raise BugError(message, f"python3 -m envspecs build {COMMON}") from error
    if isinstance(answer, Refused):
        raise error_from_info(answer.error)
    return answer
