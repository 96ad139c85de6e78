"""The shelf of loaded models."""

from __future__ import annotations

from pathlib import Path

from workers.engine import ModelKey
from workers.models import ModelShelf

KEY = ModelKey(kind="whisper", model="whisper-base", device="cpu", compute_type="int8")


def test_a_cleared_shelf_holds_nothing_and_still_knows_how_often_it_loaded(tmp_path: Path) -> None:
    shelf = ModelShelf(tmp_path)
    first = shelf.get(KEY, object)
    assert shelf.get(KEY, object) is first
    shelf.clear()
    assert shelf.loaded() == ()
    assert shelf.get(KEY, object) is not first
    assert [each.loads for each in shelf.loaded()] == [2]
