"""What a cluster says of itself to whoever has its token, by the program that asks its Ray."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["NodeSeen", "ProbeAnswer", "newest_nodes"]


@dataclass(frozen=True, kw_only=True)
class NodeSeen:
    """A machine as Ray's own list has it. Instants are ms since 1970; 0: unknown."""

    name: str
    address: str
    alive: bool
    head: bool = False
    since_ms: int = 0
    """When it joined."""
    gone_ms: int = 0
    """When it was found gone; 0 while it is alive."""


@dataclass(frozen=True, kw_only=True)
class ProbeAnswer:
    """The versions on both sides, and the machines; or why there is no answer."""

    problem: Literal["", "refused", "silent"] = ""
    """`refused`: the token is missing or wrong; `silent`: nobody answers, or not as Ray does."""
    details: str = ""
    head_ray: str = ""
    head_python: str = ""
    ray: str = ""
    python: str = ""
    nodes: tuple[NodeSeen, ...] = ()


def newest_nodes(nodes: tuple[NodeSeen, ...]) -> tuple[NodeSeen, ...]:
    """Return of each name the machine that is alive, else the one that joined last; the head comes first."""
    found: dict[str, NodeSeen] = {}
    for node in sorted(nodes, key=lambda node: (node.alive, node.since_ms)):
        found[node.name] = node
    return tuple(sorted(found.values(), key=lambda node: (not node.head, node.name)))
