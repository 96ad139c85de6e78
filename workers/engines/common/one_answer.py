"""How a program that runs once (`clients.programs`) answers: the answer on stdout, the rest on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from protocol.errors import CpwError, info_from_error
from protocol.messages import Refused
from protocol.schema import to_plain

__all__ = ["Tell", "Teller", "answer", "refusal", "tell_line", "teller_here"]

Tell = Callable[[str], None]
"""Shows one line to the person who waits."""


def answer(document: Any) -> None:
    """Write a document (a dataclass) as JSON, or a sentence.

    It is ASCII only: the reading program knows neither this process's locale nor how it encodes file names.
    """
    text = document if isinstance(document, str) else json.dumps(to_plain(document))
    sys.stdout.write(_ascii(text) + "\n")


def refusal(error: CpwError) -> Refused:
    """Return the document that says what went wrong."""
    return Refused(error=info_from_error(error))


def tell_line(line: str) -> None:
    """Write a line to stderr."""
    sys.stderr.write(_ascii(line) + "\n")
    sys.stderr.flush()


class Teller:
    """Shows the progress that `ffmpeg.run` reports: one line at each of `steps` steps."""

    def __init__(self, tell: Tell, steps: int = 10) -> None:
        self._tell = tell
        self._steps = steps
        self._told = -1

    def progress(self, fraction: float, note: str = "") -> None:
        """Show a fraction from 0 to 1."""
        step = int(fraction * self._steps)
        if step > self._told:
            self._told = step
            self._tell(f"{note}: {100 * step // self._steps} %")


def teller_here() -> Teller:
    """Return a `Teller` on stderr: on a terminal one line that changes each percent, else a line per 10 %."""
    return Teller(_tell_in_place, 100) if sys.stderr.isatty() else Teller(tell_line)


def _tell_in_place(line: str) -> None:
    sys.stderr.write(f"\r{_ascii(line)}" + ("\n" if line.endswith(" 100 %") else ""))
    sys.stderr.flush()


def _ascii(text: str) -> str:
    return text.encode("ascii", "backslashreplace").decode()
