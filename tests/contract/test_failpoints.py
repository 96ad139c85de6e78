"""`docs/failpoints.md` and the source name the same places."""

from __future__ import annotations

import ast

from tests.chaos.places import PLACES, RUNS
from tests.contract.source import ROOT, modules

_PROCESSES = {
    "cli": ("clients/",),
    "coordinator": ("coordinator/",),
    "guardian": ("envspecs/processes/guardian",),
    "supervisor": ("supervisor",),
    "worker": ("workers/",),
}


def _reached(call: ast.Call) -> ast.expr | None:
    """Return the name in `reach(NAME)` and in `partial(reach, NAME)`."""
    match [call.func, *call.args]:
        case [ast.Name(id="reach"), name] | [ast.Name(id="partial"), ast.Name(id="reach"), name]:
            return name
    return None


def _calls() -> list[tuple[str, str]]:
    """Return file and name of every call of `reach` in the product."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and (name := _reached(node)) is not None:
                assert isinstance(name, ast.Constant), f"{module.name}:{node.lineno}: write it as a literal"
                found.append((str(module.path.relative_to(ROOT)), name.value))
    return found


def test_the_document_lists_every_failpoint_and_no_other() -> None:
    names = [name for _, name in _calls()]

    assert sorted(PLACES) == sorted(names), "each name stands at one place, and in the table"
    assert list(PLACES) == sorted(PLACES)


def test_there_are_enough_of_them() -> None:
    assert len(PLACES) >= 60


def test_a_failpoint_is_named_after_the_process_that_dies() -> None:
    for path, name in _calls():
        process = name.partition(".")[0]
        assert path.startswith(_PROCESSES[process]), name


def test_the_document_says_what_each_run_is() -> None:
    assert set(PLACES.values()) == set(RUNS)
