"""Nodes that tell at once what has changed of them."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def quick_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a node look at itself at every turn."""
    monkeypatch.setattr("cluster.relay.relay.FACTS_EVERY_S", 0.0)
    monkeypatch.setattr("cluster.relay.relay.BEAT_S", 0.05)
