"""Tests use the product by its public names.

ruff (SLF) refuses a private attribute of another object. What it does not see stands here: a private name
that is imported, and one that is named by a text to be replaced.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.contract.source import ROOT

TESTS = ROOT / "tests"


def is_private(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last.startswith("_") and not last.startswith("__")


def private_names(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom():
                yield from ((node.lineno, alias.name) for alias in node.names if is_private(alias.name))
            case ast.Call(func=ast.Attribute(attr="setattr" | "delattr" | "setitem"), args=given):
                texts = [part.value for part in given[:2] if isinstance(part, ast.Constant)]
                yield from (
                    (node.lineno, text) for text in texts if isinstance(text, str) and is_private(text)
                )


def test_no_test_imports_or_replaces_a_private_name() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}: {name}"
        for path in sorted(TESTS.rglob("*.py"))
        for line, name in private_names(ast.parse(path.read_text()))
    ]
    assert found == [], "give it a public name, or test through one"
