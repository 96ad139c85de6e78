"""A translation model from the store: loaded once, put on its device, refused where it is broken."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from protocol.errors import MissingError, UsageError
from workers.models import ModelShelf
from workers.placement import Placement
from workers.text import loading
from workers.text.loading import TranslationModel, choose_placement, load_translation_model

CUDA = Placement(device="cuda:1", compute_type="float16")


class Network:
    """A model that says where it is."""

    device = "cpu"

    def to(self, device: str) -> Network:
        self.device = device
        return self


@pytest.fixture(autouse=True)
def right_positions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "wrong_positions", lambda _model: "")


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "manifest.json").write_text('{"files": {}}')
    return ModelShelf(tmp_path)


def read(folder: Path) -> TranslationModel:
    assert folder.name == "small"
    return TranslationModel(
        model=Network(), tokenizer=object(), most_source_tokens=256, most_target_tokens=255
    )


def fail(error: Exception) -> Callable[[Path], TranslationModel]:
    def reading(_: Path) -> TranslationModel:
        raise error

    return reading


def test_a_model_is_loaded_once_and_put_on_its_device(shelf: ModelShelf) -> None:
    first = load_translation_model(shelf, "small", CUDA, "nllb", read)
    assert first.model.device == "cuda:1"
    assert load_translation_model(shelf, "small", CUDA, "nllb", fail(OSError())) is first
    assert [model.key for model in shelf.loaded()] == ["nllb:small@cuda:1/float16"]


def test_a_model_that_the_store_does_not_have_is_missing(shelf: ModelShelf) -> None:
    with pytest.raises(MissingError, match="not in the model store"):
        load_translation_model(shelf, "large", CUDA, "nllb", read)


@pytest.mark.parametrize(
    ("error", "why"), [(OSError("no file\nat all"), "no file"), (ValueError(), "ValueError")]
)
def test_a_model_that_cannot_be_read_is_refused_with_the_first_line(
    shelf: ModelShelf, error: Exception, why: str
) -> None:
    with pytest.raises(MissingError, match=f"small cannot be loaded: {why}$") as refused:
        load_translation_model(shelf, "small", CUDA, "nllb", fail(error))
    assert refused.value.remedy == "cpw models fetch --again small"


def test_wrong_positions_are_refused_with_the_environment_to_build(
    shelf: ModelShelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "wrong_positions", lambda _model: "the model has none")
    with pytest.raises(MissingError, match="wrong table of positions: the model has none") as refused:
        load_translation_model(shelf, "small", CUDA, "nllb", read)
    assert "cpw envs build nllb" in refused.value.remedy
    assert shelf.loaded() == ()


@pytest.mark.parametrize(
    ("cuda", "device", "compute_type", "expected"),
    [
        (0, "auto", "auto", ("cpu", "float32")),
        (1, "auto", "auto", ("cuda", "float16")),
        (2, "cuda:1", "bfloat16", ("cuda:1", "bfloat16")),
    ],
)
def test_numbers_suit_the_device(
    monkeypatch: pytest.MonkeyPatch, cuda: int, device: str, compute_type: str, expected: tuple[str, str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch(cuda))
    where = choose_placement(device, compute_type)
    assert (where.device, where.compute_type) == expected


def test_numbers_that_the_device_cannot_use_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch(0))
    with pytest.raises(UsageError, match="cpu is not possible with 'float16'"):
        choose_placement("cpu", "float16")


def torch(cuda: int) -> Any:
    """Return what is asked of torch about a machine with so many GPUs."""
    return SimpleNamespace(
        cuda=SimpleNamespace(is_available=lambda: cuda > 0, device_count=lambda: cuda),
        backends=SimpleNamespace(mps=SimpleNamespace(is_available=lambda: False)),
    )
