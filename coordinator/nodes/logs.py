"""Logs of nodes: a client's question goes on to the node, and is answered when the node has answered."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coordinator.nodes.nodes import Nodes
from protocol.cluster.logs import LogQuery, LogReport
from protocol.errors import TransientError, UsageError, info_from_error
from protocol.frames import Header
from protocol.messages import Refused

__all__ = ["NodeLogs"]

_ANSWERED_WITHIN_S = 4.0
"""An idle loop looks a second later: a client waits for 5 s."""


@dataclass(frozen=True, kw_only=True)
class _Question:
    peer: bytes
    header: Header
    node: str
    until_s: float


class NodeLogs:
    """Remembers who has asked until the node answers or its time is over. Used by the loop's thread alone.

    `send` gives a node a question under a number, and tells whether that was possible. `answer` answers a
    client.
    """

    def __init__(
        self,
        nodes: Nodes,
        send: Callable[[str, Any, str], bool],
        answer: Callable[[bytes, Header, Any], None],
    ) -> None:
        self._nodes = nodes
        self._send = send
        self._answer = answer
        self._numbers = itertools.count(1)
        self._asked: dict[str, _Question] = {}

    def ask(self, peer: bytes, header: Header, query: LogQuery, now_s: float) -> None:
        """Pass a client's question on; `UsageError` or `TransientError` where the node is not there."""
        if query.node not in self._nodes.present:
            raise self._absence(query.node)
        number = str(next(self._numbers))
        if not self._send(query.node, query, number):
            raise _silent(query.node)
        self._asked[number] = _Question(
            peer=peer, header=header, node=query.node, until_s=now_s + _ANSWERED_WITHIN_S
        )

    def _absence(self, node: str) -> UsageError | TransientError:
        if node in self._nodes.lost:
            message = f"The node {node} is lost; its logs lie on it, in logs/."
            return TransientError(message, "cpw health")
        known = ", ".join(sorted(self._nodes.present)) or "there is none"
        return UsageError(f"There is no node {node!r}.", f"Nodes: {known}. See: cpw health")

    def hear(self, node: str, header: Header, report: LogReport) -> None:
        """Pass a node's answer on; one that comes too late, or to a question for another node, is dropped."""
        question = self._asked.get(header.request)
        if question is not None and question.node == node:
            del self._asked[header.request]
            self._answer(question.peer, question.header, report)

    def look(self, now_s: float) -> None:
        """Refuse the questions whose time is over, and those whose node has gone."""
        for number, question in list(self._asked.items()):
            if now_s > question.until_s or question.node not in self._nodes.present:
                del self._asked[number]
                refused = Refused(error=info_from_error(_silent(question.node)))
                self._answer(question.peer, question.header, refused)


def _silent(node: str) -> TransientError:
    return TransientError(f"The node {node} does not answer.", "cpw health")
