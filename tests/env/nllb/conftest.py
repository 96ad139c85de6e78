"""A store with a small NLLB, made once; with CPW_REAL_MODELS=1 the real store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import envspecs
from envspecs.models.registry import has_model
from tests.checkpoints.nllb import MODEL, make_nllb
from tests.lone_translator import LoneTranslator

REAL = os.environ.get("CPW_REAL_MODELS") == "1"


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with the small model that is arranged to translate."""
    store = tmp_path_factory.mktemp("nllb")
    make_nllb(store)
    return store


@pytest.fixture(scope="session")
def random_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with a small model whose weights are random."""
    store = tmp_path_factory.mktemp("nllb-random")
    make_nllb(store, arranged=False)
    return store


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> Path:
    """Return the store with the real model where it is asked for and there, else the small one."""
    if not REAL:
        return request.getfixturevalue("small_store")
    if not has_model(MODEL):
        pytest.skip(f"CPW_REAL_MODELS=1, but the model {MODEL} is not in the store")
    return envspecs.models_directory()


@pytest.fixture(scope="session")
def small(small_store: Path) -> Iterator[LoneTranslator]:
    """Return a worker with the arranged model."""
    with LoneTranslator("nllb", small_store) as translator:
        yield translator


@pytest.fixture(scope="session")
def translator(request: pytest.FixtureRequest) -> Iterator[LoneTranslator]:
    """Return a worker with the model of `store`."""
    if not REAL:
        yield request.getfixturevalue("small")
        return
    with LoneTranslator("nllb", request.getfixturevalue("store")) as translator:
        yield translator
