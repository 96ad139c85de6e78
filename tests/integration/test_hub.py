"""Models fetched by a hub's own tool from one on this machine; gated ones with a person's token."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from envspecs.models.registry import has_model, read_manifest
from protocol.errors import ExitCode
from tests.data import ROOT
from tests.local_hub import LocalHub

pytestmark = [pytest.mark.integration, pytest.mark.env("common"), pytest.mark.timeout(120)]

TOKEN = "hf_ofThePersonWhoAccepted"
FILES = {"model.bin": b"weights" * 1000, "config.json": b'{"kind": "test"}', "README.md": b"read me"}
REGISTRY = """
[[models]]
id = "gated"
kind = "whisper-ct2"
licence = "MIT"
description = "For tests"
size_bytes = 7000
needs = ["model.bin", "config.json"]

[[models.sources]]
kind = "huggingface"
repository = "owner/gated"
gated = {gated}
"""

Fetch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a checkout with a registry of one model, this checkout's tools, and a person's own settings."""
    home = tmp_path / "home"
    (home / "envspecs").mkdir(parents=True)
    (home / "venv").mkdir()
    (home / "venv" / "common").symlink_to((ROOT / "venv" / "common").resolve())
    (tmp_path / "settings").mkdir()
    return tmp_path


@pytest.fixture
def fetch(place: Path) -> Fetch:
    """Return a function that types `envspecs models fetch gated` while a hub of this machine serves it."""

    def run(hub: LocalHub, *, gated: bool = True, **variables: str) -> subprocess.CompletedProcess[str]:
        (place / "home" / "envspecs" / "models.toml").write_text(REGISTRY.format(gated=str(gated).lower()))
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("HF_", "CPW_"))}
        settings = {
            "CPW_HOME": str(place / "home"),
            "HF_ENDPOINT": hub.address,
            "HF_HUB_DISABLE_XET": "1",
            "HOME": str(place / "settings"),
            "HF_HOME": str(place / "settings" / "hub"),
            "XDG_CONFIG_HOME": str(place / "settings"),
            "NO_PROXY": "*",
        }
        with hub:
            return subprocess.run(
                [sys.executable, "-m", "envspecs", "models", "fetch", "gated"],
                cwd=ROOT,
                env=clean | settings | variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=90,
                check=False,
            )

    return run


def put_token(place: Path, mode: int = 0o600) -> Path:
    """Put the token into the person's settings."""
    path = place / "settings" / "cpw" / "hub-token"
    path.parent.mkdir()
    path.write_text(TOKEN + "\n")
    path.chmod(mode)
    return path


def written_with_token(place: Path) -> list[Path]:
    """Return every file that was written and has the token in it."""
    files = (path for path in place.rglob("*") if path.is_file() and not path.is_symlink())
    return [file for file in files if TOKEN.encode() in file.read_bytes()]


def test_an_open_model_comes_without_any_token(place: Path, fetch: Fetch) -> None:
    hub = LocalHub("owner/gated", FILES)
    ended = fetch(hub, gated=False, HF_TOKEN=TOKEN)
    assert ended.returncode == ExitCode.DONE, ended.stderr
    assert has_model("gated", place / "home" / "models")
    assert hub.asked
    assert {given for _, given in hub.asked} == {""}, "a token is for gated repositories only"
    manifest = read_manifest(place / "home" / "models" / "gated")
    assert manifest is not None
    assert manifest.revision == "0123456789abcdef0123456789abcdef01234567"


def test_weights_in_formats_that_nothing_here_reads_are_not_downloaded(place: Path, fetch: Fetch) -> None:
    others = {"tf_model.h5": b"x", "flax_model.msgpack": b"x", "rust_model.ot": b"x", "model.onnx": b"x"}
    hub = LocalHub("owner/gated", FILES | others)
    ended = fetch(hub, gated=False)
    assert ended.returncode == ExitCode.DONE, ended.stderr
    manifest = read_manifest(place / "home" / "models" / "gated")
    assert manifest is not None
    assert sorted(manifest.files) == ["config.json", "model.bin"]
    assert not [path for path, _ in hub.asked if path.rpartition("/")[2] in others]


def test_a_gated_model_comes_with_the_token_of_the_settings_which_is_written_nowhere(
    place: Path, fetch: Fetch
) -> None:
    token_file = put_token(place)
    hub = LocalHub("owner/gated", FILES, TOKEN)
    ended = fetch(hub)
    assert ended.returncode == ExitCode.DONE, ended.stderr
    assert {given for path, given in hub.asked if "owner/gated" in path} == {f"Bearer {TOKEN}"}
    folder = place / "home" / "models" / "gated"
    assert (folder / "model.bin").read_bytes() == FILES["model.bin"]
    manifest = read_manifest(folder)
    assert manifest is not None
    assert sorted(manifest.files) == ["config.json", "model.bin"]
    assert TOKEN not in ended.stdout + ended.stderr
    assert written_with_token(place) == [token_file]


def test_a_token_of_the_environment_goes_before_that_of_the_settings(place: Path, fetch: Fetch) -> None:
    put_token(place).write_text("hf_old")
    hub = LocalHub("owner/gated", FILES, TOKEN)
    ended = fetch(hub, HF_TOKEN=TOKEN)
    assert ended.returncode == ExitCode.DONE, ended.stderr
    assert written_with_token(place) == []


@pytest.mark.parametrize("refusal", [401, 403])
def test_a_gated_model_that_is_refused_says_what_to_do_and_not_the_token(
    place: Path, fetch: Fetch, refusal: int
) -> None:
    token_file = put_token(place)
    ended = fetch(LocalHub("owner/gated", FILES, "hf_anotherOne", refusal))
    assert ended.returncode == ExitCode.MISSING
    assert "The hub did not accept your token for owner/gated" in ended.stderr
    assert "Do this: Accept the licence on the page of owner/gated at the hub" in ended.stderr
    assert str(token_file) in ended.stderr
    assert TOKEN not in ended.stdout + ended.stderr
    assert written_with_token(place) == [token_file]
    assert not has_model("gated", place / "home" / "models")


def test_without_a_token_a_gated_repository_is_not_even_asked(place: Path, fetch: Fetch) -> None:
    hub = LocalHub("owner/gated", FILES, TOKEN)
    ended = fetch(hub)
    assert ended.returncode == ExitCode.MISSING
    assert "there is no token" in ended.stderr
    assert str(place / "settings" / "cpw" / "hub-token") in ended.stderr
    assert hub.asked == []


def test_a_token_that_others_can_read_is_not_used(place: Path, fetch: Fetch) -> None:
    path = put_token(place, mode=0o644)
    hub = LocalHub("owner/gated", FILES, TOKEN)
    ended = fetch(hub)
    assert ended.returncode != ExitCode.DONE
    assert "can be read by others" in ended.stderr
    assert hub.asked == []
    assert path.is_file()
