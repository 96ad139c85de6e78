"""The machines of a cluster as a table. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from clients.screen.table import Column, Table
from clients.screen.text import age
from protocol.cluster.probing import NodeSeen

__all__ = ["nodes_table"]


def nodes_table(nodes: Sequence[NodeSeen], now_ms: int) -> Table:
    """Return a row a machine: its name, address and state, and for how long it has been so."""
    columns = (
        Column(title="machine"),
        Column(title="part"),
        Column(title="address"),
        Column(title="state", styled=True),
        Column(title="since", right=True),
    )
    return Table(columns=columns, rows=tuple(_row(node, now_ms) for node in nodes))


def _row(node: NodeSeen, now_ms: int) -> tuple[str, ...]:
    since_ms = node.since_ms if node.alive else node.gone_ms
    since = age((now_ms - since_ms) / 1000) if since_ms else ""
    part = "head" if node.head else "node"
    return (node.name, part, node.address, "alive" if node.alive else "gone", since)
