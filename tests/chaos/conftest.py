"""One disturbed house for all tests of a module: its environments are made once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.chaos.disturbed import DisturbedHouse


@pytest.fixture(scope="module")
def disturbed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DisturbedHouse]:
    """Return a house that is not started."""
    with DisturbedHouse(tmp_path_factory.mktemp("disturbed")) as house:
        yield house
