"""A house, or little films and a scratch folder, for each test that asks for one."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import House
from tests.little_films import BEEP, PICTURE, Scratch
from workers.engines.common.film import ffmpeg as program


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Return a running house with fake engines."""
    with House(tmp_path) as built:
        built.start()
        yield built


@pytest.fixture
def scratch(tmp_path):
    root = tmp_path / "scratch"
    root.mkdir()
    return Scratch(root)


@pytest.fixture
def make(tmp_path):
    def film(name: str, *options: str) -> Path:
        path = tmp_path / name
        command = [program.find_ffmpeg(), "-nostdin", "-loglevel", "error", "-y", *options, f"file:{path}"]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path

    return film


@pytest.fixture
def little(make):
    return make("little.mp4", *PICTURE, *BEEP, "-c:v", "mpeg4", "-c:a", "aac")
