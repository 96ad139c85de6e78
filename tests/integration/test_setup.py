"""`cpw setup` against a hub on this machine: fetched, broken off, resumed, refused, not there at all."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from envspecs.models.registry import has_model
from protocol.errors import ExitCode
from tests.data import ROOT
from tests.local_hub import LocalHub

pytestmark = [pytest.mark.integration, pytest.mark.env("common", "whisperx"), pytest.mark.timeout(180)]

WEIGHTS = random.Random(14).randbytes(36 << 20)
FILES = {"model.bin": WEIGHTS} | dict.fromkeys(
    ("config.json", "tokenizer.json", "vocab.json", "preprocessor_config.json", "weights.safetensors"), b"{}"
)
"""What models of every kind consist of."""
MIB = 1 << 20
NO_HUB = "http://127.0.0.1:9"
"""Nothing listens there."""

Setup = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """Return an empty model store."""
    (tmp_path / "settings").mkdir()
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def setup(tmp_path: Path, store: Path) -> Setup:
    """Return a function that types `cpw setup` with that store, and asks the hub of that address."""

    def run(address: str, *words: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "CPW_"))}
        settings = {
            "CPW_MODELS": str(store),
            "CPW_STATE": str(tmp_path / "state"),
            "CPW_RUNTIME": str(tmp_path / "run"),
            "HF_ENDPOINT": address,
            "HF_HUB_DISABLE_XET": "1",
            "HOME": str(tmp_path / "settings"),
            "XDG_CONFIG_HOME": str(tmp_path / "settings"),
            "NO_PROXY": "*",
        }
        return subprocess.run(
            [ROOT / "venv" / "common" / "bin" / "cpw", "setup", *words],
            env=kept | settings,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=150,
            check=False,
        )

    return run


def chosen(setup: Setup) -> str:
    """Return the model that this machine is to have, whatever machine it is."""
    told = json.loads(setup(NO_HUB, "--check", "--json").stdout)
    model: str = told["recogniser"]
    return model


def test_what_was_chosen_is_fetched_and_then_nothing_is_left_to_do(setup: Setup, store: Path) -> None:
    model = chosen(setup)
    with LocalHub("any/any", FILES) as hub:
        first = setup(hub.address)
        again = setup(hub.address)
    assert first.returncode == ExitCode.DONE, first.stdout + first.stderr
    assert f"{model}: " in first.stdout, "what it takes"
    assert "100 Mbit/s" in first.stdout, "how long"
    assert has_model(model, store)
    assert again.returncode == ExitCode.DONE
    assert "all of them are here" in again.stdout


def test_a_check_changes_nothing(setup: Setup, store: Path) -> None:
    before = sorted(store.rglob("*"))
    with LocalHub("any/any", FILES) as hub:
        ended = setup(hub.address, "--check", "--for", "hi,ta", "--set", "best")
    assert ended.returncode == ExitCode.MISSING
    assert "indictrans2-indic-en" in ended.stdout
    assert sorted(store.rglob("*")) == before
    assert hub.asked == []


def test_a_download_that_is_broken_off_goes_on_where_it_was(setup: Setup, store: Path) -> None:
    model = chosen(setup)
    with LocalHub("any/any", FILES) as hub:
        hub.limit_bytes = 24 * MIB
        broken = setup(hub.address)
        too_soon = has_model(model, store)
        shown = setup(hub.address, "--check")
        hub.limit_bytes, came = None, len(hub.ranges)
        whole = setup(hub.address)
    assert broken.returncode == ExitCode.MISSING
    assert not too_soon
    assert "% here" in shown.stdout
    assert whole.returncode == ExitCode.DONE, whole.stderr
    assert has_model(model, store)
    first = next(start for name, start in hub.ranges[came:] if name == "model.bin")
    assert first >= 10 * MIB, "what had come was not fetched again"


def test_wrong_bytes_are_not_kept_and_the_next_fetch_begins_anew(setup: Setup, store: Path) -> None:
    model = chosen(setup)
    with LocalHub("any/any", FILES) as hub:
        hub.promised = "0" * 64
        wrong = setup(hub.address)
        left = list(store.glob(".*.part"))
        hub.promised = ""
        right = setup(hub.address)
    assert wrong.returncode == ExitCode.MISSING
    assert "is not the one that is expected" in wrong.stderr
    assert not left
    assert right.returncode == ExitCode.DONE, right.stderr
    assert has_model(model, store)


def test_a_file_of_which_too_much_came_is_fetched_anew(setup: Setup, store: Path) -> None:
    model = chosen(setup)
    with LocalHub("any/any", FILES) as hub:
        hub.surplus = b"more"
        wrong = setup(hub.address)
        hub.surplus = b""
        right = setup(hub.address)
    assert wrong.returncode == ExitCode.MISSING
    assert "file should be of size" in wrong.stderr, "the reason is told, not only that there is one"
    assert right.returncode == ExitCode.DONE, right.stderr
    assert has_model(model, store)


def test_a_page_that_answers_in_the_place_of_a_hub_is_told_in_one_sentence(setup: Setup) -> None:
    with LocalHub("any/any", FILES) as hub:
        hub.page = b"<html>Sign in to this network</html>"
        ended = setup(hub.address)
    assert ended.returncode == ExitCode.MISSING
    assert "is not what a hub says (JSONDecodeError): a proxy, or a page to sign in" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert 'File "' not in ended.stderr


def test_without_a_hub_it_says_so_in_one_sentence_and_base_stays(setup: Setup, store: Path) -> None:
    ended = setup(NO_HUB)
    assert ended.returncode == ExitCode.MISSING
    assert ended.stderr.strip().splitlines() == [
        "no model hub can be reached: what is here stays in use; cpw setup tries again"
    ]
    assert not list(store.iterdir())
    assert setup(NO_HUB, "--background").returncode == ExitCode.DONE


@pytest.mark.env("indictrans2")
def test_a_model_whose_licence_is_not_accepted_keeps_nobody_from_the_others(
    setup: Setup, store: Path
) -> None:
    told = setup(NO_HUB, "--for", "hi")
    assert "accept the licence on its page at the hub" in told.stdout
    assert 'languages = ["hi"]' in (store / "setup.toml").read_text()
    with LocalHub("any/any", FILES) as hub:
        ended = setup(hub.address)
    assert ended.returncode == ExitCode.MISSING
    assert "there is no token" in ended.stderr
    assert "make a token there that may read" in ended.stderr
    assert has_model("wav2vec2-hi", store)
    assert not has_model("indictrans2-indic-en-dist-200m", store)
