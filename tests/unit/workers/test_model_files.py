"""A model is used only where every file of it is in the store."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from protocol.errors import MissingError
from workers.models import ModelShelf


@pytest.fixture
def shelf(tmp_path: Path) -> ModelShelf:
    folder = tmp_path / "small"
    (folder / "inner").mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"1234")
    (folder / "inner" / "words.txt").write_bytes(b"12")
    files = {"model.bin": {"sha256": "", "size": 4}, "inner/words.txt": {"sha256": "", "size": 2}}
    (folder / "manifest.json").write_text(json.dumps({"files": files}))
    return ModelShelf(tmp_path)


def test_a_whole_model_has_a_folder(shelf: ModelShelf, tmp_path: Path) -> None:
    assert shelf.path("small") == tmp_path / "small"


@pytest.mark.parametrize("name", ["model.bin", "inner/words.txt"])
def test_a_file_that_is_missing_is_named_with_the_command_that_fetches_it(
    shelf: ModelShelf, tmp_path: Path, name: str
) -> None:
    (tmp_path / "small" / name).unlink()
    with pytest.raises(MissingError) as caught:
        shelf.path("small")
    assert caught.value.message == f"The file {tmp_path}/small/{name} is missing."
    assert caught.value.remedy == "cpw models fetch small"


def test_a_file_of_another_size_than_it_was_fetched_with_is_refused(
    shelf: ModelShelf, tmp_path: Path
) -> None:
    (tmp_path / "small" / "model.bin").write_bytes(b"123")
    with pytest.raises(MissingError, match=r"model\.bin has changed since it was fetched"):
        shelf.path("small")


@pytest.mark.parametrize("manifest", ["", "[]", "{}", '{"files": {"model.bin": 4}}'])
def test_a_manifest_that_cannot_be_read_is_no_model(shelf: ModelShelf, tmp_path: Path, manifest: str) -> None:
    (tmp_path / "small" / "manifest.json").write_text(manifest)
    with pytest.raises(MissingError, match=r"manifest\.json has changed"):
        shelf.path("small")


@pytest.mark.parametrize("content", [b"x = 2", b"x = 11"])
def test_code_that_a_model_brings_is_as_it_was_fetched_or_is_not_run(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "with-code"
    folder.mkdir()
    (folder / "modeling.py").write_bytes(b"x = 1")
    file = {"sha256": hashlib.sha256(b"x = 1").hexdigest(), "size": 5}
    (folder / "manifest.json").write_text(json.dumps({"files": {"modeling.py": file}}))
    shelf = ModelShelf(tmp_path)
    assert shelf.path("with-code") == folder
    (folder / "modeling.py").write_bytes(content)
    with pytest.raises(MissingError, match=r"modeling\.py has changed since it was fetched"):
        shelf.path("with-code")


def test_code_that_came_to_a_model_later_is_not_run(shelf: ModelShelf, tmp_path: Path) -> None:
    (tmp_path / "small" / "modeling.py").write_bytes(b"x = 1")
    with pytest.raises(MissingError, match=r"modeling\.py has changed"):
        shelf.path("small")
