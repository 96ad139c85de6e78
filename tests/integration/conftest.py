"""A house for each test that asks for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a running house with fake engines."""
    with House(tmp_path) as built:
        built.start()
        yield built
