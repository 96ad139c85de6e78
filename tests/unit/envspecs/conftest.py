from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

# Does what uv does for the eye of the builder: makes folders, unpacks, fails to order.
_FAKE_UV = """#!/bin/sh
echo "$*" >> "{log}"
if [ -n "$FAKE_UV_FAILS" ] && [ "$1" = pip ]; then echo "$FAKE_UV_FAILS" >&2; exit 2; fi
last=""; target=""
for each; do
    [ "$last" = --target ] && target="$each"
    [ "$last" = --output-file ] && cat "{newest}" > "$each"
    last="$each"
done
if [ "$1" = venv ]; then
    mkdir -p "$last/bin"
    cp "{python}" "$last/bin/python"
fi
if [ -n "$target" ]; then mkdir -p "$target"; cp -R "{packages}/." "$target"; fi
"""
_FAKE_PYTHON = """#!/bin/sh
echo '{{"files": {{"protocol": "{imports}/protocol/__init__.py",'
echo '"workers": "{imports}/workers/__init__.py"}},'
echo '"versions": {{"pyzmq": "27.0.0"}}, "packages": {{"pyzmq": "27.0.0", "NumPy": "2.4.6"}}}}'
"""
TINY = """
name = "tiny"
purpose = "For tests"
requirements = ["pyzmq>=27"]
"""


class Lines:
    """A report that keeps what it is told and calls back at each line."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.answers: list[str] = []
        self.on_line: Callable[[str], None] = lambda _: None

    def line(self, text: str) -> None:
        self.lines.append(text)
        self.on_line(text)

    def answer(self, text: str) -> None:
        self.answers.append(text)

    def progress(self, text: str, done: int, total: int) -> None:
        self.lines.append(f"{text} {done}/{total}")


class Home:
    """A checkout in a temporary folder, with a uv that only pretends."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.specs = root / "envspecs"
        self.locks = self.specs / "locks"
        self.packages = root / "packages"
        self.log = root / "uv.log"
        self.tools = root / "tools"
        for folder in (self.locks, self.packages, self.tools, root / "protocol", root / "workers"):
            folder.mkdir(parents=True)
        (root / "pyproject.toml").write_text('[project]\nname = "cpw"\n')
        (self.specs / "models.toml").write_text("models = []\n")
        self.spec("tiny", TINY)
        self.newest("pyzmq==27.0.0\n")
        self.python(imports=root)
        uv = self.tools / "uv"
        uv.write_text(
            _FAKE_UV.format(
                log=self.log,
                python=self.tools / "python-of-venv",
                packages=self.packages,
                newest=self.root / "newest",
            )
        )
        uv.chmod(0o755)

    def spec(self, name: str, text: str) -> None:
        (self.specs / f"{name}.toml").write_text(text)

    def newest(self, lock: str) -> None:
        """Let this be what requirements are resolved to from now on."""
        (self.root / "newest").write_text(lock)

    def python(self, imports: Path) -> None:
        script = self.tools / "python-of-venv"
        script.write_text(_FAKE_PYTHON.format(imports=imports))
        script.chmod(0o755)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def report() -> Lines:
    return Lines()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home((tmp_path / "checkout").resolve())
    monkeypatch.setenv("CPW_HOME", str(made.root))
    monkeypatch.delenv("CPW_MODELS", raising=False)
    monkeypatch.delenv("CPW_MODEL_SOURCES", raising=False)
    monkeypatch.setenv("PATH", f"{made.tools}:/usr/bin:/bin")
    return made
