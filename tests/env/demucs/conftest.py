"""One worker with a small model for all tests of a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoints.demucs import make_htdemucs
from tests.lone_worker import LoneWorker


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model store with a model that gives its input back."""
    folder = tmp_path_factory.mktemp("models")
    make_htdemucs(folder)
    return folder


@pytest.fixture(scope="module")
def worker(store: Path) -> Iterator[LoneWorker]:
    """Return a worker that lives as long as these tests, as it does for a person."""
    with LoneWorker.of("demucs", models=store) as alive:
        alive.wait_ready()
        yield alive
