"""Who names a stage: its own module, its builder and its engine; all others ask its row."""

from __future__ import annotations

import ast

from protocol.stages import STAGES
from tests.contract.source import modules

NAMING = {
    "coordinator.planning.builders": "one function a stage",
    "coordinator.store.job_folder": "the manifest has what demux found of the film",
    "clients.cli.export": "it takes the settings of the stage subtitle",
    "clients.cli.demo": "the workflow of that name",
    "clients.api.speech.wanted": "the workflow of that name",
    "envspecs.http.hooks": "the workflow of that name",
}
"""Modules outside of `protocol/stages` and `workers` that write a stage's name, and why."""


def test_nobody_else_names_a_stage() -> None:
    names = {
        module.name
        for module in modules()
        if not module.name.startswith(("protocol.stages", "workers"))
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and node.value in STAGES
    }
    assert names == NAMING.keys()
