"""A coordinator in the test's own hands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lone_coordinator import LoneCoordinator


@pytest.fixture
def lone(tmp_path: Path) -> Iterator[LoneCoordinator]:
    """Return the real loop, store and sockets, turned by the test."""
    with LoneCoordinator(tmp_path) as made:
        yield made
