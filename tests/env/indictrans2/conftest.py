"""Stores with small models of IndicTrans2's shape, made once; with CPW_REAL_MODELS=1 the real store."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import envspecs
from envspecs.models.registry import has_model
from tests.checkpoints.indictrans2 import MODELS, make_indictrans2
from tests.lone_translator import LoneTranslator

REAL = os.environ.get("CPW_REAL_MODELS") == "1"


@pytest.fixture(scope="session")
def small_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with a small model for each of the three directions."""
    store = tmp_path_factory.mktemp("indictrans2")
    for direction in MODELS:
        make_indictrans2(store, direction)
    return store


@pytest.fixture(scope="session")
def store(request: pytest.FixtureRequest) -> Path:
    """Return the store with the real models where they are asked for and there, else the small ones."""
    if not REAL:
        return request.getfixturevalue("small_store")
    for model in MODELS.values():
        if not has_model(model):
            pytest.skip(f"CPW_REAL_MODELS=1, but the model {model} is not in the store")
    return envspecs.models_directory()


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file to which the small models write the shape of each batch."""
    return tmp_path_factory.mktemp("record") / "batches.jsonl"


@pytest.fixture(scope="session")
def small(small_store: Path, record: Path) -> Iterator[LoneTranslator]:
    """Return a worker with the small models."""
    with LoneTranslator("indictrans2", small_store, CPW_SKETCH_RECORD=str(record)) as translator:
        yield translator


@pytest.fixture(scope="session")
def translator(request: pytest.FixtureRequest) -> Iterator[LoneTranslator]:
    """Return a worker with the models of `store`."""
    if not REAL:
        yield request.getfixturevalue("small")
        return
    with LoneTranslator("indictrans2", request.getfixturevalue("store")) as translator:
        yield translator
