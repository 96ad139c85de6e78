"""No module names an environment: what one can do stands in its TOML, and one more is a TOML more."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import envspecs

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocol", "workers", "coordinator", "clients", "envspecs")
OTHER_THINGS = {
    ("envspecs/layout.py", "common"): "the one constant: the programs themselves run in it",
    ("envspecs/layout.py", "cluster"): "the second constant: Ray and the bridge run in it",
    ("clients/cli/main.py", "cluster"): "a command",
    ("protocol/supervisor.py", "cluster"): "a child of the supervisor, the bridge",
    ("envspecs/code.py", "cluster"): "a room, whose code is part of the digest",
    ("clients/comparing/shown.py", "whisperx"): "a package, whose version tells two builds apart",
    ("clients/screen/machine.py", "mlx"): "a library: what it computes on is a line about the machine",
    ("coordinator/planning/hardware_choices.py", "mlx"): "a word for devices: what the library computes on",
    ("envspecs/computing.py", "mlx"): "the same",
    ("envspecs/hardware.py", "mlx"): "the same",
    ("envspecs/models/convert.py", "mlx"): "a format of files, as the library writes it into them",
    ("protocol/stages/vad.py", "pyannote"): "a method of finding speech, which a person can choose",
}
"""Words that are an environment's name and mean something else, and why they stand where they do."""


def named() -> Iterator[tuple[str, str]]:
    """Yield module and name, wherever a string in the code is an environment's name."""
    names = {spec.name for spec in envspecs.read_all() if not spec.copied_from}
    paths = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    for path in [*paths, ROOT / "supervisor.py"]:
        place = path.relative_to(ROOT).as_posix()
        if place.startswith("workers/engines/"):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and node.value in names:
                yield place, node.value


def test_no_module_names_an_environment() -> None:
    assert set(named()) == OTHER_THINGS.keys()
