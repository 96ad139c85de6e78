"""The table of commands: what `cpw --help` shows without importing a command."""

from __future__ import annotations

import json
import subprocess
import sys

import click
import pytest

from clients.cli.main import COMMANDS, cpw, load

_MODULES_AFTER = """
import json, sys
from clients.cli.main import cpw, run
code = run(cpw, {words}, "cpw")
print(json.dumps([code, sorted(sys.modules)]), file=sys.stderr)
"""


@pytest.mark.parametrize("name", COMMANDS)
def test_the_table_has_the_first_sentence_of_a_commands_own_help(name: str) -> None:
    command = load(name)
    assert command.name == name
    assert COMMANDS[name][0].startswith("clients.cli.")
    assert command.get_short_help_str(limit=1000) == COMMANDS[name][1]


def test_every_command_is_listed() -> None:
    assert cpw.list_commands(click.Context(cpw)) == sorted(COMMANDS)


def test_a_subcommand_is_found_and_an_unknown_one_is_not() -> None:
    context = click.Context(cpw)
    assert cpw.resolve_command(context, ["jobs", "prune"]) == ("jobs", load("jobs"), ["prune"])
    with pytest.raises(click.UsageError, match="No such command"):
        cpw.resolve_command(context, ["job"])


def test_the_list_of_commands_fits_in_80_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, *lines = cpw.get_help(click.Context(cpw, max_content_width=80)).splitlines()
    assert [line for line in lines if len(line) > 80 or line.endswith("...")] == []


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_no_command_and_nothing_heavy(words: list[str]) -> None:
    program = _MODULES_AFTER.format(words=words)
    done = subprocess.run(
        [sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True, timeout=20
    )
    code, modules = json.loads(done.stderr)
    assert code == 0
    commands = {where.partition(":")[0] for where, _ in COMMANDS.values()}
    assert not (commands | {"zmq", "rich", "psutil"}) & set(modules)
    assert "clients.cli.main" in modules
