"""`docs/adding.md` is followed to the letter, in a copy of this checkout, and ends in a real call."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coordinator.planning.hardware_choices import choose
from envspecs.builds.uv import base_python
from envspecs.spec import read
from protocol.hardware import CudaDevice, Hardware
from tests.conftest import Figure
from tests.walkthrough import Block, blocks_of, changed

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

CHECKOUT = Path(__file__).resolve().parents[2]
COPIED = ("protocol", "workers", "envspecs", "coordinator", "clients", "tests", "docs")
MOST_FILES = 5
"""Of the program, that a new stage may touch, new ones counted."""


@pytest.fixture
def copy(tmp_path: Path) -> Iterator[Path]:
    """Return a copy of the checkout with nothing built in it but the tools of `dev`."""
    root = tmp_path / "copy"
    for room in COPIED:
        shutil.copytree(CHECKOUT / room, root / room, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "supervisor.py"):
        shutil.copy(CHECKOUT / name, root / name)
    (root / "venv").mkdir()
    (root / "venv" / "dev").symlink_to(sys.prefix)
    (root / "bin").mkdir()
    (root / "bin" / "python3").symlink_to(base_python())
    yield root
    shutil.rmtree(root / "venv" / ".builds", ignore_errors=True)


def follow(part: str, root: Path) -> list[str]:
    """Follow a part of the document in a copy and return what each command said."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("CPW_", "PYTEST_"))}
    environment["PATH"] = f"{root / 'bin'}:{os.environ['PATH']}"
    said = []
    for block in blocks_of(root / "docs" / "adding.md"):
        if block.part != part:
            continue
        if block.kind == "sh":
            said += [run(line, root, environment) for line in block.text.splitlines()]
        else:
            write(block, root)
    return said


def write(block: Block, root: Path) -> None:
    path = root / block.path
    if block.deed == "a new file":
        assert not path.exists(), f"{block.path} is there already"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text)
    elif block.deed == "at its end":
        with path.open("a") as file:
            file.write(block.text)
    elif block.deed == "a change":
        path.write_text(changed(path.read_text(), block.text))


def run(line: str, root: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_an_environment_is_added_as_the_document_says(copy: Path, figure: Figure) -> None:
    followed = follow("Adding an environment", copy)
    _, built, listed, verified, *_, tested = followed
    assert "pyzmq==" in (copy / "envspecs" / "locks" / "phrasebook.txt").read_text()
    assert "phrasebook-en-it: from folder" in built
    assert re.search(r"^phrasebook +built", listed, re.MULTILINE)
    assert "phrasebook-en-it" in verified
    assert re.search(r"\b1 passed\b", tested)
    assert not re.search(r"skipped|failed|error", tested)
    card = CudaDevice(index=0, name="NVIDIA H100", memory_bytes=80 << 30)
    hardware = Hardware(platform="Linux", machine="x86_64", ram_bytes=128 << 30, cuda=(card,))
    told = choose("translate", read("phrasebook", copy / "envspecs"), hardware, {})
    assert told.values == {"device": "cpu"}, "its engine computes on the processor alone"
    figure(f"docs/adding.md followed: {len(followed)} commands, {tested.splitlines()[-1].strip('= ')}")


def sources(root: Path) -> dict[str, bytes]:
    """Return what people write, by path: no tests, nothing that was built."""
    files = [path for room in COPIED if room != "tests" for path in (root / room).rglob("*.*")]
    files += [root / "pyproject.toml", root / "supervisor.py"]
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in files
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_a_stage_is_added_as_the_document_says_in_a_few_files(copy: Path, figure: Figure) -> None:
    before = sources(copy)
    where, *_, rows, whole_job = follow("Adding a stage", copy)
    after = sources(copy)
    new = sorted(after.keys() - before.keys())
    touched = sorted(path for path, content in before.items() if after[path] != content)
    figure(f"a stage added: {len(touched)} files changed ({', '.join(touched)})")
    figure(f"a stage added: {len(new)} files new ({', '.join(new)})")
    figure(f"a stage added: two jobs with and without it: {whole_job.splitlines()[-1].strip('= ')}")
    assert len(touched) + len(new) <= MOST_FILES
    assert re.search(r"^  mask +common$", where, re.MULTILINE)
    assert not re.search(r"skipped|failed|error", rows)
    assert re.search(r"\b1 passed\b", whole_job)
