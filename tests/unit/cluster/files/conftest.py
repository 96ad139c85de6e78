"""A head and its nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cluster.files.node_files import NodeFiles
from tests.cluster_head import PlayedHead

MakeNode = Callable[..., NodeFiles]


@pytest.fixture(scope="module")
def listening(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlayedHead]:
    """Return a head for all tests of a module: its server takes a second to end."""
    with PlayedHead(tmp_path_factory.mktemp("head")) as played:
        yield played


@pytest.fixture
def head(listening: PlayedHead) -> PlayedHead:
    """Return a head that knows nothing yet."""
    listening.begin_anew()
    return listening


@pytest.fixture
def make_node(tmp_path: Path, head: PlayedHead) -> MakeNode:
    """Return what makes a node that the head has welcomed; nothing is shared unless a test says so."""

    def make(
        most_bytes: int = 10**9, spare_bytes: int = 0, name: str = "big-box", **shares: str
    ) -> NodeFiles:
        offered = {head: str(here) for head, here in shares.items()}
        place = tmp_path / name
        node = NodeFiles(name, place, tmp_path / f"{name}-models", offered, most_bytes, spare_bytes)
        node.use_door(head.door(), tuple(offered))
        return node

    return make


@pytest.fixture
def node(make_node: MakeNode) -> NodeFiles:
    return make_node()
