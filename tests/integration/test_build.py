from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from envspecs.builds.build import build
from envspecs.builds.installed import MARKER, build_state, is_built, read_marker
from envspecs.builds.upgrade import rollback, upgrade
from envspecs.layout import interpreter
from envspecs.report import Silent
from envspecs.spec import read

pytestmark = [pytest.mark.integration, pytest.mark.slow, pytest.mark.timeout(300)]

CHECKOUT = Path(__file__).resolve().parents[2]
PROJECT = """
[build-system]
requires = ["setuptools>=75"]
build-backend = "setuptools.build_meta"
[project]
name = "cpw"
version = "0.1.0"
[tool.setuptools]
packages = ["protocol", "protocol.stages", "workers"]
"""
TINY = """
name = "tiny"
purpose = "For tests"
requirements = ["pyzmq>=27", "msgpack>=1.1"]
"""


@pytest.fixture
def checkout(tmp_path):
    """A checkout whose only environment is tiny, with a folder `tests` that must not be exposed."""
    root = tmp_path / "checkout"
    for room in ("protocol", "workers", "envspecs"):
        shutil.copytree(CHECKOUT / room, root / room, ignore=shutil.ignore_patterns("*.toml", "__pycache__"))
    (root / "tests").mkdir()
    (root / "tests" / "__init__.py").touch()
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "envspecs" / "tiny.toml").write_text(TINY)
    (root / "envspecs" / "models.toml").write_text("models = []\n")
    return root


def ask(root: Path, code: str, folder: Path) -> str:
    python = str(interpreter("tiny", root))
    ended = subprocess.run([python, "-I", "-c", code], check=True, capture_output=True, text=True, cwd=folder)
    return ended.stdout.strip()


def build_in(root: Path) -> Path:
    return build(read("tiny", root / "envspecs"), Silent(), root)


def test_a_real_environment_imports_this_checkout_and_nothing_of_the_current_folder(checkout, tmp_path):
    build_in(checkout)
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "__init__.py").write_text("raise SystemExit('the wrong one')")
    assert ask(checkout, "import zmq, workers; print(workers.__file__)", tmp_path) == str(
        checkout / "workers" / "__init__.py"
    )
    found = ask(checkout, "import importlib.util as u; print(u.find_spec('tests'))", tmp_path)
    assert found == "None"


def test_an_environment_broken_on_purpose_is_seen_and_rebuilt(checkout, tmp_path):
    folder = build_in(checkout)
    spec = read("tiny", checkout / "envspecs")
    (folder / MARKER).unlink()
    shutil.rmtree(next(folder.glob("lib/*/site-packages/zmq")))
    assert build_state(spec, checkout) == "missing"
    assert build_in(checkout) == folder
    assert is_built(spec, checkout)
    assert ask(checkout, "import zmq; print(zmq.__version__)", tmp_path)


def test_a_build_killed_in_the_middle_is_not_used_and_the_next_one_is_whole(checkout):
    command = [sys.executable, "-m", "envspecs", "build", "tiny"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("CPW_")}
    builder = subprocess.Popen(command, cwd=checkout, env=environment, stderr=subprocess.PIPE, text=True)
    assert builder.stderr is not None
    for line in builder.stderr:
        if "installing its packages" in line:
            break
    builder.kill()
    builder.wait()
    builder.stderr.close()
    spec = read("tiny", checkout / "envspecs")
    assert build_state(spec, checkout) == "missing"
    subprocess.run(command, cwd=checkout, env=environment, check=True, capture_output=True)
    assert is_built(spec, checkout)


def test_the_build_tool_is_made_where_the_machine_has_none(checkout, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setenv("HOME", str(tmp_path / "nothing"))
    if shutil.which("uv"):
        pytest.skip("this machine has a uv in /usr/bin")
    build_in(checkout)
    assert (checkout / "venv" / ".uv" / "bin" / "uv").is_file()


def test_a_real_environment_is_upgraded_and_rolled_back_with_its_lock(checkout, tmp_path):
    spec = read("tiny", checkout / "envspecs")
    lock = checkout / "envspecs" / "locks" / "tiny.txt"
    lock.parent.mkdir(exist_ok=True)
    lock.write_text("pyzmq==27.0.0\n")
    version = "import zmq; print(zmq.__version__)"
    first = build_in(checkout)
    assert ask(checkout, version, tmp_path) == "27.0.0"

    upgrade(spec, Silent(), checkout)
    newer = ask(checkout, version, tmp_path)
    assert newer != "27.0.0"
    assert f"pyzmq=={newer}" in lock.read_text()
    assert read_marker(first).packages["pyzmq"] == "27.0.0", "the build before is there, whole"
    assert is_built(spec, checkout)

    assert rollback(spec, Silent(), checkout) == first
    assert ask(checkout, version, tmp_path) == "27.0.0"
    assert lock.read_text() == "pyzmq==27.0.0\n"
    assert is_built(spec, checkout)


WITH_REGEX = TINY.replace('"msgpack>=1.1"', '"msgpack>=1.1", "regex"')
MOVED = '\n[stages]\ndemux = { engine = "workers.engines.common.demux:FfmpegDemux" }\n'
LOAD = """
import importlib
module, _, name = {engine!r}.partition(":")
print(getattr(importlib.import_module(module), name)().stage)
"""


def test_a_rollback_to_a_spec_from_before_an_engine_moved_gives_one_that_is_loaded(checkout, tmp_path):
    path = checkout / "envspecs" / "tiny.toml"
    path.write_text(WITH_REGEX + MOVED)
    first = build_in(checkout)
    demux = read("common").stages["demux"]
    entry = f'\n[stages]\ndemux = {{ engine = "{demux.engine}", name = "{demux.name}" }}\n'
    path.write_text(WITH_REGEX.replace("pyzmq>=27", "pyzmq>=26.1") + entry)
    build_in(checkout)
    # What is installed of the project has changed since the first build, too.
    (checkout / "pyproject.toml").write_text(PROJECT.replace("0.1.0", "0.2.0"))

    assert rollback(read("tiny", checkout / "envspecs"), Silent(), checkout) == first
    rolled = read("tiny", checkout / "envspecs")
    assert rolled.requirements == ("pyzmq>=27", "msgpack>=1.1", "regex")
    assert is_built(rolled, checkout)
    assert rolled.stages["demux"].key_name == demux.key_name
    engine = rolled.stages["demux"].engine
    assert ask(checkout, LOAD.format(engine=engine), tmp_path) == "demux"
