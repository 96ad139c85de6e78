"""A store with a small MADLAD-400, made once."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.checkpoints.madlad import make_madlad
from tests.lone_translator import LoneTranslator


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the small model."""
    store = tmp_path_factory.mktemp("madlad")
    make_madlad(store)
    return store


@pytest.fixture(scope="session")
def small(small_store: Path) -> Iterator[LoneTranslator]:
    """Return a worker with the small model."""
    with LoneTranslator("madlad", small_store) as translator:
        yield translator
