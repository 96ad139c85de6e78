"""The product's modules and documents, for the tests that hold the rules of this repository."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MADE_HERE", "ROOMS", "ROOT", "Import", "Module", "documents", "imports_of", "modules"]

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("protocol", "workers", "coordinator", "clients", "envspecs", "cluster")
"""The top folders of the product; `supervisor.py` stands beside them."""
MADE_HERE = frozenset({"venv", "models", "out", "films", "logs", "state", "build", "demo"})
"""Folders that the program makes: no document of ours lies there, and their files may not exist."""


@dataclass(frozen=True)
class Module:
    """One module of the product."""

    name: str
    """As an import writes it: `coordinator.store` is the `__init__.py` of that folder."""
    path: Path
    text: str
    tree: ast.Module

    @property
    def is_package(self) -> bool:
        """Tell whether it is the `__init__.py` of a folder."""
        return self.path.name == "__init__.py"

    @property
    def lines(self) -> int:
        """Return the lines of its source, blank lines, comments and docstrings included."""
        return len(self.text.splitlines())


@dataclass(frozen=True)
class Import:
    """One module that another module names."""

    source: str
    target: str
    line: int
    late: bool
    """It is inside a function, or for type checkers only: not loaded together with its module."""

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


@functools.cache
def modules() -> tuple[Module, ...]:
    """Return every module of the product."""
    paths = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
    return tuple(_read(path) for path in [*paths, ROOT / "supervisor.py"])


def _read(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    text = path.read_text()
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path, text, ast.parse(text))


@functools.cache
def imports_of(module: Module) -> tuple[Import, ...]:
    """Return all that the module imports, at its top and inside functions."""
    known = {known_module.name for known_module in modules()}
    found = []
    for node, late in _walk(module.tree, late=False):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            # `from coordinator.store import rows` names the module coordinator.store.rows.
            written = [(node.module, f"{node.module}.{alias.name}") for alias in node.names]
            names = list(dict.fromkeys(deep if deep in known else base for base, deep in written))
        else:
            continue
        found.extend(Import(module.name, name, node.lineno, late) for name in names)
    return tuple(found)


def _walk(node: ast.AST, late: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Return every node below `node`, and whether it runs later than the import of its module."""
    for child in ast.iter_child_nodes(node):
        inside = late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            inside = True
        yield child, inside
        yield from _walk(child, inside)


def documents() -> list[Path]:
    """Return every document of the repository."""
    tops = [path for path in ROOT.iterdir() if path.name not in MADE_HERE and not path.name.startswith(".")]
    found = [path for path in tops if path.suffix == ".md"]
    return sorted(found + [path for top in tops if top.is_dir() for path in top.rglob("*.md")])
