"""A house, or little films and a scratch folder, for each test that asks for one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fonts import dejavu, write_conf
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


@pytest.fixture
def fonts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[Path], None]:
    """Return how to choose the folder of all fonts there are; it has DejaVu's where nothing is chosen.

    What is installed on this machine counts for nothing: it would change what a picture looks like.
    """
    if sys.platform == "darwin":
        pytest.skip("libass asks CoreText here, which cannot be told what is installed")
    own = tmp_path / "fonts"
    own.mkdir()
    for name in ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSerif.ttf"):
        (own / name).symlink_to(dejavu() / name)

    def only(folder: Path) -> None:
        monkeypatch.setenv("FONTCONFIG_FILE", str(write_conf(tmp_path, folder)))

    only(own)
    return only
