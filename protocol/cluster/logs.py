"""The logs of a node: asked for by a client, passed on by the coordinator, read by the node's relay."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LOG_BYTES", "SUPERVISOR_LOG", "LogQuery", "LogReport"]

LOG_BYTES = 65_536
"""An answer has no more of a log."""
SUPERVISOR_LOG = "supervisor"


@dataclass(frozen=True, kw_only=True)
class LogQuery:
    """Asks for a log of a node: its end, or what was added `after` this byte."""

    node: str
    log: str = SUPERVISOR_LOG
    """`supervisor`, or what the supervisor calls a worker: `whisperx`, `whisperx.2`."""
    after: int | None = None


@dataclass(frozen=True, kw_only=True)
class LogReport:
    """Answer to a `LogQuery`: whole lines, at most `LOG_BYTES` of them."""

    text: str = ""
    end: int = 0
    """Ask for what is added after this byte."""
    logs: tuple[str, ...] = ()
    """Every log that the node has; the one asked for may not be among them."""
