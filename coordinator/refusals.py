"""Says what was refused; of a flood only so much that the log is not full of it."""

from __future__ import annotations

import logging

__all__ = ["Refusals"]

log = logging.getLogger(__name__)

_LINES = 20
_WITHIN_S = 10.0


class Refusals:
    """At most so many lines within a while, then how many more there were. Time is an argument."""

    def __init__(self) -> None:
        self._since_s = float("-inf")
        self._count = 0

    def say(self, now_s: float, text: str, *values: object) -> None:
        """Log a refusal, or count it where there have been too many just now."""
        self.settle(now_s)
        self._count += 1
        if self._count <= _LINES:
            log.warning(text, *values)

    def settle(self, now_s: float) -> None:
        """Say how many were not said, once the while is over."""
        if now_s - self._since_s < _WITHIN_S:
            return
        if self._count > _LINES:
            log.warning("refused %d more within %.0f s", self._count - _LINES, _WITHIN_S)
        self._since_s, self._count = now_s, 0
