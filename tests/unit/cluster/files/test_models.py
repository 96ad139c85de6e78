"""A node takes a model from the head's store: whole or not at all."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from cluster.files.node_files import NodeFiles
from envspecs.models.registry import has_model, verify
from protocol.artefacts import describe_file
from protocol.errors import InputError, TransientError
from tests.cluster_calls import ends_when_some_came
from tests.cluster_head import PlayedHead

FILES = {"model.bin": os.urandom(2_500_000), "config.json": b"{}", "code/run.py": b"pass\n", "empty.txt": b""}


@pytest.fixture
def model(head: PlayedHead) -> Path:
    folder = head.home / "models" / "whisper-tiny"
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    files = {name: describe_file(folder / name, name) for name in FILES}
    told = {name: {"sha256": file.sha256, "size": file.size} for name, file in files.items()}
    manifest = {"id": "whisper-tiny", "source": "a test", "files": told}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "big-box-models"


def test_a_model_comes_whole_and_once(head: PlayedHead, node: NodeFiles, model: Path, store: Path) -> None:
    node.fetch_model("whisper-tiny")
    folder = store / "whisper-tiny"
    verify("whisper-tiny", store)
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES
    assert json.loads((folder / "manifest.json").read_text())["source"] == "a test"
    node.fetch_model("whisper-tiny")
    assert head.gets("model.bin") == [""]
    assert sorted(path.name for path in store.iterdir()) == [".whisper-tiny.lock", "whisper-tiny"]


def test_a_model_that_broke_off_is_not_there_and_goes_on_the_next_time(
    head: PlayedHead, node: NodeFiles, model: Path, store: Path
) -> None:
    head.breaks_off_after = [1_500_000]
    part = store / ".whisper-tiny.from-head" / "files" / "model.bin"
    head.when_broken = lambda: ends_when_some_came(node, part)
    with pytest.raises(TransientError):
        node.fetch_model("whisper-tiny")
    assert not has_model("whisper-tiny", store)
    assert not (store / "whisper-tiny").exists()
    later = NodeFiles("big-box", store.parent / "big-box", store, {}, 10**9, 0)
    later.use_door(head.door(), ())
    later.fetch_model("whisper-tiny")
    verify("whisper-tiny", store)
    first, second = head.gets("model.bin")
    assert (first, second > "bytes=1") == ("", True)


def test_a_changed_byte_is_found(head: PlayedHead, node: NodeFiles, model: Path, store: Path) -> None:
    head.spoils = 1
    node.fetch_model("whisper-tiny")
    verify("whisper-tiny", store)
    assert len(head.gets("model.bin")) == 2


def test_a_model_that_is_spoilt_on_the_head_is_never_here(
    head: PlayedHead, node: NodeFiles, model: Path, store: Path
) -> None:
    (model / "model.bin").write_bytes(FILES["model.bin"][::-1])
    with pytest.raises(TransientError, match="wrong bytes"):
        node.fetch_model("whisper-tiny")
    assert not has_model("whisper-tiny", store)


@pytest.mark.parametrize("name", ["whisper-base", "..", ".", "../head", "a/b", "", ".whisper-tiny.old"])
def test_a_model_that_the_head_does_not_have_is_refused(
    head: PlayedHead, node: NodeFiles, model: Path, store: Path, name: str
) -> None:
    with pytest.raises(InputError):
        node.fetch_model(name)
    assert not [path for path in store.rglob("*") if path.suffix != ".lock"]


def test_a_manifest_that_leads_out_of_the_store_is_refused(
    head: PlayedHead, node: NodeFiles, model: Path, store: Path
) -> None:
    told = json.loads((model / "manifest.json").read_text())
    told["files"]["../../x"] = told["files"]["empty.txt"]
    (model / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(InputError):
        node.fetch_model("whisper-tiny")
