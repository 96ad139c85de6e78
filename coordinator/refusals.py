"""Logs what was refused: a flood of refusals becomes a few lines and a number."""

from __future__ import annotations

import logging

__all__ = ["Refusals"]

log = logging.getLogger(__name__)

_LINES = 20
_PERIOD_S = 10.0


class Refusals:
    """Logs at most 20 refusals in 10 s, then how many more there were. Time is an argument."""

    def __init__(self) -> None:
        self._since_s = float("-inf")
        self._count = 0

    def add(self, now_s: float, text: str, *values: object) -> None:
        """Log a refusal, or only count it where there were too many in this period."""
        self.sum_up(now_s)
        self._count += 1
        if self._count <= _LINES:
            log.warning(text, *values)

    def sum_up(self, now_s: float) -> None:
        """Log how many refusals were only counted, once their period is over."""
        if now_s - self._since_s < _PERIOD_S:
            return
        if self._count > _LINES:
            log.warning("refused %d more within %.0f s", self._count - _LINES, _PERIOD_S)
        self._since_s, self._count = now_s, 0
