"""The call that the main thread does, and those that it interrupted: each keeps what is its own."""

from __future__ import annotations

import faulthandler
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from protocol.marks import Mark
from workers.output import Output

__all__ = ["RunningCalls"]

_LEAST_S, _MOST_S = 0.001, 1e9
"""What `faulthandler` takes."""


@dataclass
class _Running:
    mark: Mark
    debug: bool
    budget_s: float
    resumed_s: float
    used_s: float = 0.0


class RunningCalls:
    """A stack of calls: output, log level, budget and duration are those of the call on top.

    `stack` is the file into which a call that takes longer than its budget writes where it is; the process
    ends then. A budget of 0 never ends. The time of an interrupted call stands still.
    """

    def __init__(self, output: Output, stack: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._output = output
        self._stack = stack
        self._clock = clock
        self._calls: list[_Running] = []

    def begin(self, mark: Mark, budget_s: float, *, debug: bool) -> None:
        """Put a call on top; the one under it stands still."""
        if self._calls:
            self._calls[-1].used_s += self._clock() - self._calls[-1].resumed_s
        self._calls.append(_Running(mark, debug, budget_s, self._clock()))
        self._resume()

    def used_ms(self) -> int:
        """Return how long the call on top has run, in milliseconds."""
        top = self._calls[-1]
        return round((top.used_s + self._clock() - top.resumed_s) * 1000)

    def end(self) -> None:
        """Take the call on top away; the one under it goes on."""
        self._calls.pop()
        if self._calls:
            self._resume()
        else:
            faulthandler.cancel_dump_traceback_later()
            self._output.belongs_to_no_call()

    def _resume(self) -> None:
        top = self._calls[-1]
        top.resumed_s = self._clock()
        self._output.belongs_to(top.mark)
        logging.getLogger().setLevel(logging.DEBUG if top.debug else logging.INFO)
        faulthandler.cancel_dump_traceback_later()
        if top.budget_s > 0:
            left_s = min(max(_LEAST_S, top.budget_s - top.used_s), _MOST_S)
            faulthandler.dump_traceback_later(left_s, exit=True, file=self._stack)
