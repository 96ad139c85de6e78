"""Which workers are refused, and what is logged of refusals: a flood becomes a few lines and a number."""

from __future__ import annotations

import logging

from envspecs.code import RESTART
from protocol import OLDEST_SUPPORTED_VERSION, PROTOCOL_VERSION
from protocol.errors import ErrorInfo, ErrorKind
from protocol.messages import Hello
from protocol.stages import STAGES

__all__ = ["Refusals", "find_mismatch"]

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


def find_mismatch(hello: Hello, peer: bytes) -> ErrorInfo | None:
    """Return why the worker cannot work for this coordinator, None where it can."""
    if hello.worker.encode() != peer:
        text = f"The worker {hello.worker!r} speaks under another name."
        return ErrorInfo(kind=ErrorKind.WIRE, message=text)
    if hello.oldest_protocol > PROTOCOL_VERSION or hello.newest_protocol < OLDEST_SUPPORTED_VERSION:
        text = (
            f"The worker speaks wire versions {hello.oldest_protocol} to {hello.newest_protocol}, "
            f"the coordinator {OLDEST_SUPPORTED_VERSION} to {PROTOCOL_VERSION}."
        )
        return ErrorInfo(kind=ErrorKind.WIRE, message=text, remedy=RESTART)
    for stage, version in hello.stages.items():
        if stage not in STAGES or STAGES[stage].version != version:
            text = f"The worker {hello.environment} has {stage} version {version}, which is not ours."
            return ErrorInfo(kind=ErrorKind.WIRE, message=text, remedy=RESTART)
    return None
