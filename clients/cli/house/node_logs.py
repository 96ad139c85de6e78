"""The part of `cpw logs` that reads a log of another machine of the cluster."""

from __future__ import annotations

from clients.asking import ask_coordinator
from clients.desk import Desk
from protocol.cluster.logs import SUPERVISOR_LOG, LogQuery, LogReport
from protocol.errors import ExitCode, NotRunningError, UsageError
from protocol.messages import HealthQuery, HealthReport

__all__ = ["is_node", "show_node_log"]

_LOOK_SECONDS = 1.0
_ASK_MS = 6_000
"""The coordinator answers within 5 s, whatever the node does."""


def is_node(desk: Desk, name: str) -> bool:
    """Return whether the coordinator knows a node of this name, lost or not."""
    try:
        answer: HealthReport = ask_coordinator(desk, HealthQuery())
    except NotRunningError:
        return False
    return name in {node.name for node in answer.nodes}


def show_node_log(desk: Desk, name: str, limit: int, *, follow: bool) -> ExitCode:
    """Show the last lines of a node's log: `big-box` for its supervisor's, `big-box:whisperx` for a worker's.

    Raises `UsageError` where there is no such node or log, `TransientError` where the node does not answer,
    `NotRunningError` where the coordinator does not.
    """
    node, _, log = name.partition(":")
    query = LogQuery(node=node, log=log or SUPERVISOR_LOG)
    answer = _ask(desk, query)
    if query.log not in answer.logs:
        message = f"The node {node} has no log {query.log!r}."
        known = ", ".join(f"{node}:{found}" for found in answer.logs) or "it has none yet"
        raise UsageError(message, f"One of these: {known}")
    desk.report.lines(_lines(answer)[-limit:] if limit else [])
    return _follow(desk, query, answer.end) if follow else ExitCode.DONE


def _follow(desk: Desk, query: LogQuery, end: int) -> ExitCode:
    try:
        while True:
            desk.pause(_LOOK_SECONDS)
            answer = _ask(desk, LogQuery(node=query.node, log=query.log, after=end))
            desk.report.lines(_lines(answer))
            end = answer.end
    except KeyboardInterrupt:  # how following ends: nothing is to be said
        return ExitCode.INTERRUPTED


def _lines(answer: LogReport) -> list[str]:
    lines = answer.text.removesuffix("\n").split("\n") if answer.text else []
    return [line.expandtabs(4).rstrip("\r") for line in lines]


def _ask(desk: Desk, query: LogQuery) -> LogReport:
    answer: LogReport = ask_coordinator(desk, query, timeout_ms=_ASK_MS)
    return answer
