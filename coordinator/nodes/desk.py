"""Takes what nodes say of themselves: hello, how they are, a worker that has gone."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from coordinator.nodes.nodes import Node, Nodes
from coordinator.nodes.placing import digests_at_head, is_of_this_lock
from coordinator.nodes.shares import confirmed
from envspecs.cluster.elsewhere import Elsewhere, write_elsewhere
from envspecs.code import RESTART, code_digest
from protocol.clock import now_iso
from protocol.cluster.messages import (
    Door,
    NodeAgain,
    NodeBeat,
    NodeHello,
    NodeState,
    NodeWelcome,
    OfferModels,
    WorkerGone,
)
from protocol.cluster.names import check_node_name, worker_of
from protocol.errors import ErrorInfo, ErrorKind, UsageError, info_from_error
from protocol.messages import Reject

__all__ = ["NodeDesk"]

log = logging.getLogger(__name__)

_AGAIN_EVERY_S = 1.0


class NodeDesk:
    """Answers nodes. Used by the loop's thread alone.

    `send` gives a message to a node. `door` says where nodes fetch files. `on_gone` is told of a worker that
    cannot be reached on its node. `state` is the folder of the job store.
    """

    def __init__(
        self,
        nodes: Nodes,
        send: Callable[[str, Any], object],
        door: Callable[[], Door],
        on_gone: Callable[[str], None],
        state: Path,
    ) -> None:
        self._nodes = nodes
        self._send = send
        self._door = door
        self._on_gone = on_gone
        self._code = code_digest()
        self._told_again_s: dict[str, float] = {}
        self._state = state
        self._written: tuple[int, Elsewhere] = (-1, Elsewhere())
        write_elsewhere(Elsewhere(), state)

    def hear(self, name: str, message: Any, now_s: float) -> None:
        """Take in a message of the node `name`."""
        if isinstance(message, NodeHello):
            self._on_hello(name, message, now_s)
            return
        node = self._nodes.present.get(name)
        if node is None:
            self.ask_again(name, now_s)
            return
        node.heard_s = now_s
        match message:
            case NodeState():
                self._nodes.take(node, message)
            case WorkerGone(worker=worker):
                self._on_gone(worker_of(worker, name))
            case NodeBeat():
                pass

    def ask_again(self, name: str, now_s: float) -> None:
        """Have a node say hello that is not known, or was taken for lost; once a second at most."""
        if now_s - self._told_again_s.get(name, float("-inf")) >= _AGAIN_EVERY_S:
            self._told_again_s[name] = now_s
            self._send(name, NodeAgain())

    def tell_planning(self) -> None:
        """Write down for plans what the nodes have, if that has changed."""
        if self._written[0] == self._nodes.changes:
            return
        digests = digests_at_head()
        present = self._nodes.present.values()
        built = {name for node in present for name in node.locks if is_of_this_lock(node, name, digests)}
        models = {model for node in present for model in node.models}
        found = Elsewhere(built=tuple(sorted(built)), models=tuple(sorted(models)))
        if found != self._written[1]:
            write_elsewhere(found, self._state)
        self._written = (self._nodes.changes, found)

    def offer(self, lacking: set[tuple[str, str]]) -> None:
        """Have nodes fetch models that steps wait for; each is said once a session."""
        for name, model in lacking:
            node = self._nodes.present.get(name)
            if node is not None and node.fetches and model not in node.offered:
                node.offered.add(model)
                log.info("the node %s is offered the model %s", name, model)
                self._send(name, OfferModels(models=(model,)))

    def _on_hello(self, name: str, hello: NodeHello, now_s: float) -> None:
        if (node := self._nodes.repeats(name, hello)) is not None:
            # Its checks have been looked at, and may be gone: the answer stays.
            node.heard_s = now_s
            self._welcome(node)
            return
        if (problem := self._mismatch(name, hello)) is not None:
            log.warning("the node %.40s is refused: %s", name, problem.message)
            self._nodes.refuse(name, problem, now_iso(), now_s)
            self._send(name, Reject(reason=problem))
            return
        shares, problems = confirmed(hello.shares)
        for sentence in problems:
            log.warning("the node %s: %s", name, sentence)
        fetches = bool(self._door().url)
        node = self._nodes.admit(hello, now_s, now_iso(), shares=shares, fetches=fetches)
        log.info("the node %s says hello; its clock is %d ms ahead", name, node.clock_ahead_ms)
        self._welcome(node)

    def _welcome(self, node: Node) -> None:
        shares = tuple(share.head for share in node.shares)
        self._send(node.name, NodeWelcome(shares=shares, door=self._door()))

    def _mismatch(self, name: str, hello: NodeHello) -> ErrorInfo | None:
        """Return why the node cannot work for this head, None where it can."""
        try:
            check_node_name(hello.node)
        except UsageError as error:
            return info_from_error(error)
        if hello.node != name:
            text = f"The node {hello.node!r} speaks under another name."
            return ErrorInfo(kind=ErrorKind.WIRE, message=text)
        if self._code and hello.code != self._code:
            text = f"The checkout of the node {name} has other code than the head's."
            remedy = f"On the node: git pull to the head's commit, then {RESTART}"
            return ErrorInfo(kind=ErrorKind.WIRE, message=text, remedy=remedy)
        return None
