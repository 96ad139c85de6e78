"""The machines of a cluster as a person sees them."""

from __future__ import annotations

from clients.screen.cluster import nodes_table
from protocol.cluster.probing import NodeSeen


def test_a_machine_is_shown_with_its_state_and_for_how_long() -> None:
    nodes = (
        NodeSeen(name="alpha", address="10.0.0.1", alive=True, head=True, since_ms=1_000_000),
        NodeSeen(name="beta", address="10.0.0.2", alive=False, since_ms=1_000_000, gone_ms=1_055_000),
        NodeSeen(name="gamma", address="10.0.0.3", alive=True),
    )
    assert nodes_table(nodes, 1_060_000).rows == (
        ("alpha", "head", "10.0.0.1", "alive", "1 min"),
        ("beta", "node", "10.0.0.2", "gone", "5 s"),
        ("gamma", "node", "10.0.0.3", "alive", ""),
    )
