"""One real house for all tests of a session: its models are loaded once, as for a person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real_house import RealHouse


@pytest.fixture(scope="session")
def real_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealHouse]:
    """Return a running house with this checkout's environments."""
    with RealHouse(tmp_path_factory.mktemp("real")) as house:
        done = house.cpw("up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield house
