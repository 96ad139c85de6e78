"""The nodes that have said hello: what each has, and which are silent. Time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.clock import is_instant, iso_of_ms, parse_iso_ms
from protocol.cluster.messages import NodeHello, NodeState, Share
from protocol.cluster.names import local_id, node_of
from protocol.errors import ErrorInfo
from protocol.hardware import Hardware
from protocol.supervisor import ChildExit, ChildReport

__all__ = ["NODE_SILENT_AFTER_S", "UNHEARD_AFTER_S", "Node", "Nodes", "Refusal"]

UNHEARD_AFTER_S = 3.0
"""A node says something every second. While nothing comes, its workers' echoes cannot come either."""
NODE_SILENT_AFTER_S = 10.0
"""A node that has not been heard for this long is taken for lost: its steps are given to others."""


_REFUSED_KNOWN_S = 30.0
"""A node that was refused says hello again every 10 s; one that has gone is forgotten after this."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why a node cannot work for this head, and when it last heard that."""

    reason: ErrorInfo
    at: str
    at_s: float


@dataclass
class Node:
    """One machine beside the head's own."""

    name: str
    clock_ahead_ms: int
    """How far its clock is ahead of the head's: taken off its instants before they are compared."""
    heard_s: float
    met_s: float
    """When it last said hello."""
    met_at: str
    """The same as an instant of the head's clock."""
    locks: dict[str, str]
    cores: int
    ram_budget_bytes: int
    hardware: Hardware | None
    python: str = ""
    code: str = ""
    shares: tuple[Share, ...] = ()
    """Those that were found to be the same folder on both."""
    fetches: bool = False
    """It can fetch files from the head's HTTP server, and send its own there."""
    workers: frozenset[str] = frozenset()
    """Names, on the node, of those of its workers whose processes are alive."""
    children: dict[str, ChildReport] = field(default_factory=dict)
    models: frozenset[str] = frozenset()
    free_disk_bytes: int | None = None
    """None: it has not said yet."""
    problems: tuple[str, ...] = ()
    leaves: bool = False
    """It goes because a person wants it, and is not lost then."""
    hello: NodeHello | None = None
    """What it said; the same once more is no other session, only impatience."""
    offered: set[str] = field(default_factory=set)
    """Models that it was told to fetch."""

    def here(self, instant: str) -> str:
        """Return an instant of its clock by the head's clock; one that is none stays as it is."""
        if not is_instant(instant):
            return instant
        return iso_of_ms(parse_iso_ms(instant) - self.clock_ahead_ms)

    def take(self, state: NodeState) -> None:
        """Take in what it says of itself."""
        self.workers = frozenset(state.workers)
        self.children = state.children
        self.models = frozenset(state.models)
        self.free_disk_bytes = state.free_disk_bytes
        self.problems = state.problems
        self.leaves = state.leaves
        self.locks = state.locks

    def is_alive(self, worker: str) -> bool:
        """Return whether the process of its worker, named as at the head, is alive."""
        return local_id(worker) in self.workers

    def last_exit(self, child: str) -> ChildExit:
        """Return how the last worker that its supervisor calls so ended, by the head's clock."""
        report = self.children.get(child)
        if report is None or report.last_exit is None:
            return ChildExit()
        found = report.last_exit
        return ChildExit(
            code=found.code, signal=found.signal, at=self.here(found.at), stack_text=found.stack_text
        )

    def reaches(self, path: str) -> bool:
        """Return whether a path of the head lies in a folder that both reach."""
        return any(path == share.head or path.startswith(f"{share.head}/") for share in self.shares)


@dataclass
class Nodes:
    """All nodes by name, those that are lost apart."""

    present: dict[str, Node] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    """Name to when it was taken for lost, by the head's clock."""
    refused: dict[str, Refusal] = field(default_factory=dict)
    changes: int = 0
    """Grows with every change of what a node has."""

    def take(self, node: Node, state: NodeState) -> None:
        """Take in what a node says of itself."""
        node.take(state)
        self.changes += 1

    def cores(self) -> dict[str, int]:
        """Return of each node how many cores its calls share."""
        return {node.name: node.cores for node in self.present.values()}

    def budgets(self) -> dict[str, int]:
        """Return of each node how many bytes its workers may take together."""
        return {node.name: node.ram_budget_bytes for node in self.present.values()}

    def admit(
        self, hello: NodeHello, now_s: float, at: str, *, shares: Iterable[Share], fetches: bool
    ) -> Node:
        """Add a node, or renew its entry for a new session."""
        ahead_ms = parse_iso_ms(hello.at) - parse_iso_ms(at) if is_instant(hello.at) else 0
        node = Node(
            name=hello.node,
            clock_ahead_ms=ahead_ms,
            heard_s=now_s,
            met_s=now_s,
            met_at=at,
            locks=dict(hello.locks),
            cores=max(1, hello.cores),
            ram_budget_bytes=hello.ram_budget_bytes,
            hardware=hello.hardware,
            python=hello.python,
            code=hello.code,
            shares=tuple(shares),
            fetches=fetches,
            hello=hello,
        )
        self.present[node.name] = node
        self.changes += 1
        self.lost.pop(node.name, None)
        self.refused.pop(node.name, None)
        return node

    def repeats(self, name: str, hello: NodeHello) -> Node | None:
        """Return the node if it was answered to this very hello; None where another session begins."""
        node = self.present.get(name)
        return node if node is not None and node.hello == hello else None

    def refuse(self, name: str, reason: ErrorInfo, at: str, now_s: float) -> None:
        """Note that a node cannot work for this head."""
        self.refused[name] = Refusal(reason=reason, at=at, at_s=now_s)

    def newly_refused(self, now_s: float) -> dict[str, Refusal]:
        """Return the nodes that were refused a moment ago; the others are forgotten."""
        self.refused = {
            name: refusal
            for name, refusal in self.refused.items()
            if now_s - refusal.at_s <= _REFUSED_KNOWN_S
        }
        return self.refused

    def leaving(self) -> frozenset[str]:
        """Return the nodes that go because a person wants it."""
        return frozenset(name for name, node in self.present.items() if node.leaves)

    def of(self, worker: str) -> Node | None:
        """Return the node of a worker; None for one of the head's own, and where its node is not there."""
        return self.present.get(node_of(worker))

    def unheard(self, now_s: float) -> list[Node]:
        """Return the nodes of which nothing comes this moment: who hangs there cannot be told."""
        return [node for node in self.present.values() if now_s - node.heard_s > UNHEARD_AFTER_S]

    def newly_silent(self, now_s: float) -> list[Node]:
        """Return the nodes that are to be taken for lost."""
        return [node for node in self.present.values() if now_s - node.heard_s > NODE_SILENT_AFTER_S]

    def lose(self, name: str, at: str) -> None:
        """Take a node for lost; it comes back by a new session. One that leaves is forgotten."""
        node = self.present.pop(name, None)
        if node is not None:
            self.changes += 1
            if not node.leaves:
                self.lost[name] = at

    def restart_silence(self, now_s: float) -> None:
        """Count silence from `now_s` on: nobody listened before."""
        for node in self.present.values():
            node.heard_s = now_s
