"""One module of each program writes to the terminal."""

from __future__ import annotations

import ast

from tests.contract.source import Module, modules

WRITERS = {
    "clients.screen.report": "cpw",
    "envspecs.__main__": "python -m envspecs, on a bare Python",
    "cluster.ray.probe": "the program that asks Ray, which answers on stdout",
    "workers.engines.scores.score": "the program that measures texts, which answers on stdout",
    "workers.engines.common.one_answer": "the programs that run once and answer on stdout",
}
STREAMS = ("sys.stdout", "sys.stderr")


def writes(module: Module) -> bool:
    """Tell whether the module prints or writes to a stream of the process, also by a function of its own."""
    own = {node.name for node in module.tree.body if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            streams = [part for part in node.args if ast.unparse(part) in STREAMS]
            if called in ("print", "click.echo", "click.secho", "sys.stdout.write", "sys.stderr.write"):
                return True
            if streams and called in own:
                return True
    return any(found in module.text for found in ("from rich.console", "import rich"))


def test_one_module_of_each_program_writes() -> None:
    assert {module.name for module in modules() if writes(module)} == set(WRITERS)
