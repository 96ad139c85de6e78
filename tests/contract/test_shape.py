"""The shape of the product: how large folders, modules and functions are, and how things are named.

Lines are lines of source, with blank lines, comments and docstrings. A module is a `.py` file of the product;
a function counts from its `def` to its last line, one inside another too. Percentiles are by nearest rank.
So counted, the code before the folders were made had 262 lines a module and 24 a function.
"""

from __future__ import annotations

import ast
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.conftest import Figure
from tests.contract.source import ROOMS, ROOT, Module, documents, imports_of, modules

MODULES_A_FOLDER = 16
LARGER_FOLDERS: dict[str, str] = {}
"""Folders that may hold more, and why."""
MODULE_LINES = 400
MODULE_LINES_P90 = 262
FUNCTION_LINES_P95 = 24
SAME_PREFIX = 3
"""So many modules of a folder that begin with the same word should be a folder of that name."""

ENTRIES = ("__init__", "__main__")


def percentile(sizes: Sequence[int], share: int) -> int:
    """Return the smallest size that `share` percent of the sizes do not exceed."""
    return sorted(sizes)[math.ceil(share / 100 * len(sizes)) - 1]


def folders() -> dict[str, list[Module]]:
    """Return the modules of each folder, `__init__.py` and `__main__.py` left out."""
    found: dict[str, list[Module]] = defaultdict(list)
    for module in modules():
        if module.path.stem not in ENTRIES:
            found[str(module.path.parent.relative_to(ROOT))].append(module)
    return found


def test_a_folder_can_be_seen_at_a_glance(figure: Figure) -> None:
    counts = {folder: len(members) for folder, members in folders().items()}
    largest = sorted(counts, key=lambda folder: -counts[folder])[:5]
    figure("modules a folder, the largest: " + ", ".join(f"{name} {counts[name]}" for name in largest))
    too_many = {folder for folder, count in counts.items() if count > MODULES_A_FOLDER}
    assert too_many == set(LARGER_FOLDERS)


def test_no_prefix_of_a_file_stands_in_for_a_folder() -> None:
    wrong = []
    for folder, members in folders().items():
        alike: dict[str, list[str]] = defaultdict(list)
        for member in members:
            alike[member.path.stem.partition("_")[0]].append(member.path.name)
        wrong += [f"{folder}: {', '.join(names)}" for names in alike.values() if len(names) >= SAME_PREFIX]
    assert wrong == []


def test_modules_are_short(figure: Figure) -> None:
    lines = [module.lines for module in modules()]
    p90 = percentile(lines, 90)
    figure(f"{len(lines)} modules, lines: median {percentile(lines, 50)}, p90 {p90}, longest {max(lines)}")
    assert [module.name for module in modules() if module.lines > MODULE_LINES] == []
    assert p90 <= MODULE_LINES_P90


def test_functions_are_short(figure: Figure) -> None:
    lines = [
        node.end_lineno - node.lineno + 1
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.end_lineno is not None
    ]
    p95 = percentile(lines, 95)
    figure(f"{len(lines)} functions, lines: median {percentile(lines, 50)}, p95 {p95}, longest {max(lines)}")
    assert p95 <= FUNCTION_LINES_P95


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the groups of names that reach each other: a name that only leads out of a cycle is in none."""
    left = {name: set(targets) for name, targets in graph.items()}
    while ends := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in ends:
            del left[name]
    reached = {name: _reached(name, left) for name in left}
    groups = {
        frozenset(other for other in reached[name] if name in reached.get(other, ()))
        for name in left
        if name in reached[name]
    }
    return sorted(sorted(group) for group in groups)


def _reached(name: str, graph: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        fresh = graph.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


def test_no_import_leads_back_to_where_it_began(figure: Figure) -> None:
    """By modules, packages' own too; that folders do not go in circles either, import-linter holds."""
    graph = {module.name: {found.target for found in imports_of(module)} for module in modules()}
    found = cycles(graph)
    figure(f"{sum(len(targets & graph.keys()) for targets in graph.values())} imports, {len(found)} cycles")
    assert found == []


def test_a_cycle_would_be_found() -> None:
    graph = {"a": {"b"}, "b": {"c", "end"}, "c": {"a"}, "end": set(), "before": {"a"}, "self": {"self"}}
    assert cycles(graph) == [["a", "b", "c"], ["self"]]
    assert cycles({"a": {"b"}, "b": {"c"}, "c": set()}) == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_no_two_classes_of_one_name(room: str) -> None:
    """A name that differs by an underscore only is the same name to a reader."""
    places: dict[str, list[str]] = defaultdict(list)
    for module in modules():
        if module.name.partition(".")[0] == room:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef):
                    places[node.name.lstrip("_")].append(f"{module.name}.{node.name}")
    assert [found for found in places.values() if len(found) > 1] == []


EACH = re.compile(r"\bfor each in\b")


def python_files() -> Iterator[Path]:
    yield ROOT / "supervisor.py"
    for room in (*ROOMS, "tests"):
        yield from (ROOT / room).rglob("*.py")


def loop_names(tree: ast.AST) -> Iterator[ast.Name]:
    """Return the names that loops and comprehensions give to what they go over."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            yield from (name for name in ast.walk(node.target) if isinstance(name, ast.Name))


def test_a_loop_names_what_it_goes_over() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{name.lineno}"
        for path in python_files()
        for name in loop_names(ast.parse(path.read_text()))
        if name.id == "each"
    ]
    for document in documents():
        fences = re.findall(r"^```.*?^```$", document.read_text(), re.MULTILINE | re.DOTALL)
        wrong += [f"{document.relative_to(ROOT)}: {fence}" for fence in fences if EACH.search(fence)]
    assert wrong == []


def test_a_folder_is_named_after_what_is_in_it() -> None:
    names = {module.path.stem for module in modules()} | {module.path.parent.name for module in modules()}
    assert names & {"utils", "util", "helpers", "misc"} == set()
