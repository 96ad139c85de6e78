"""What health says of store, disks and models."""

from __future__ import annotations

import json
import shutil
from collections import namedtuple
from pathlib import Path

import pytest

import envspecs
from coordinator import checks
from coordinator.checks import (
    OUT_BYTES,
    STORE_BYTES,
    Checks,
    Place,
    disk_problems,
    model_problems,
    pin_problems,
    store_problems,
)
from coordinator.store.store import Store

Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "state" / "jobs.sqlite")


def test_a_store_that_can_be_written_is_no_problem(store: Store) -> None:
    assert list(store_problems(store)) == []


def test_a_store_that_cannot_be_written_is_named_with_the_reason(store: Store) -> None:
    store._db.execute("PRAGMA query_only=1")  # noqa: SLF001 (root, who runs tests, may write every file)
    (problem,) = store_problems(store)
    assert str(store.path) in problem.sentence
    assert "cannot be written: attempt to write a readonly database" in problem.sentence
    assert problem.remedy


def test_a_disk_with_little_room_is_named_with_what_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Place(what="the job store", folder=tmp_path / "not" / "made yet", least_bytes=STORE_BYTES)
    out = Place(what="the jobs' folders", folder=tmp_path, least_bytes=OUT_BYTES)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, OUT_BYTES - 1))
    (problem,) = disk_problems([store, out])
    assert problem.sentence == f"The disk of the jobs' folders, {tmp_path}, has only 500 MB left."
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, STORE_BYTES - 1))
    assert [found.sentence.split(",")[0] for found in disk_problems([store, out])] == [
        "The disk of the job store",
        "The disk of the jobs' folders",
    ]
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(1, 1, OUT_BYTES))
    assert list(disk_problems([store, out])) == []


def test_a_disk_that_does_not_answer_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(_path: Path) -> Usage:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(shutil, "disk_usage", gone)
    (problem,) = disk_problems([Place(what="the job store", folder=tmp_path, least_bytes=1)])
    assert problem.sentence == f"The disk of the job store, {tmp_path}, cannot be asked: Input/output error."


def model(folder: Path, name: str) -> Path:
    folder = folder / name
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"weights")
    files = {"model.bin": {"sha256": "0" * 64, "size": 7}}
    (folder / "manifest.json").write_text(json.dumps({"id": name, "source": "a test", "files": files}))
    return folder


@pytest.mark.parametrize("spoilt", ["nothing", "the folder", "a file", "a file's end", "the manifest"])
def test_an_environment_without_its_whole_model_is_a_problem(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoilt: str
) -> None:
    folder = model(tmp_path / "models", "whisper-base")
    monkeypatch.setenv("CPW_MODELS", str(tmp_path / "models"))
    monkeypatch.setattr(envspecs, "is_built", lambda _spec: True)
    match spoilt:
        case "the folder":
            shutil.rmtree(folder)
        case "a file":
            (folder / "model.bin").unlink()
        case "a file's end":
            (folder / "model.bin").write_bytes(b"weight")
        case "the manifest":
            (folder / "manifest.json").unlink()
    found = list(model_problems([envspecs.read("whisperx")]))
    if spoilt == "nothing":
        assert found == []
    else:
        assert found[0].sentence == f"whisperx: its model whisper-base is not whole in {tmp_path}/models."
        assert found[0].remedy == "cpw models fetch whisper-base"


def test_an_environment_that_is_not_built_needs_no_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CPW_MODELS", str(tmp_path))
    monkeypatch.setattr(envspecs, "is_built", lambda _spec: False)
    assert list(model_problems([envspecs.read("whisperx")])) == []


def test_whoever_asks_often_is_told_what_was_found_within_two_seconds(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[str] = []
    monkeypatch.setattr(checks, "store_problems", lambda _store: looks.append("looked") or [])
    monkeypatch.setattr(checks, "model_problems", lambda _specs: [])
    looking = Checks(store)
    for now_s in (10.0, 10.5, 11.9, 12.0, 13.0):
        looking.look([], tmp_path, now_s)
    assert len(looks) == 2


def test_a_wrong_file_about_models_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CPW_MODELS", str(tmp_path))
    assert list(pin_problems()) == []
    (tmp_path / "setup.toml").write_text('set = "huge"\n')
    (problem,) = pin_problems()
    assert str(tmp_path / "setup.toml") in problem.sentence
    assert problem.remedy
