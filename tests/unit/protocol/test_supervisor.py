"""What crosses between the supervisor, the coordinator and clients."""

from __future__ import annotations

import json
from pathlib import Path
from typing import get_args

import pytest

from protocol.errors import SchemaError
from protocol.supervisor import (
    FINAL_STATES,
    ChildExit,
    ChildReport,
    ChildState,
    Command,
    Forgive,
    Kill,
    Proved,
    Reload,
    SupervisorReport,
    parse_command,
    read_children,
    read_supervisor,
    render_command,
    supervisor_file,
    write_supervisor,
)

LINES: list[tuple[Command, str]] = [
    (
        Kill(environment="mlx", pid=3, reason="no echo"),
        '{"kill": "mlx", "pid": 3, "reason": "no echo"}\n',
    ),
    (Forgive(environment="mlx"), '{"forgive": "mlx"}\n'),
    (Reload(environment="mlx", now=True), '{"reload": "mlx", "now": true}\n'),
    (Proved(environment="mlx", pid=3), '{"proved": "mlx", "pid": 3}\n'),
]


@pytest.mark.parametrize(("command", "line"), LINES)
def test_a_command_is_one_line_and_is_read_back(command: Command, line: str) -> None:
    assert render_command(command) == line.encode()
    assert parse_command(line.encode()) == command


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b"\xff",
        b"3",
        b'{"stop": "mlx"}',
        b'{"kill": "mlx"}',
        b'{"kill": 3, "pid": 3}',
        b'{"proved": "mlx", "pid": "3"}',
        b'{"reload": "mlx", "now": 1}',
        b'{"kill": "mlx", "forgive": "mlx", "pid": 3}',
    ],
)
def test_a_wrong_line_is_refused(line: bytes) -> None:
    with pytest.raises(SchemaError):
        parse_command(line)


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    child = ChildReport(state="crash-loop", last_exit=ChildExit(signal=9, at="2026"), problem="It died.")
    report = SupervisorReport(pid=1, started=2.5, run="r", state="stopping", children={"mlx": child})
    write_supervisor(tmp_path, report)
    assert read_supervisor(tmp_path) == report
    assert read_children(tmp_path) == {"mlx": child}


def test_the_names_in_the_file_stay(tmp_path: Path) -> None:
    child = ChildReport(state="running", last_exit=ChildExit(code=1))
    write_supervisor(tmp_path, SupervisorReport(pid=1, started=2.5, children={"mlx": child}))
    plain = json.loads(supervisor_file(tmp_path).read_text())
    assert list(plain) == ["pid", "started", "run", "state", "children"]
    assert list(plain["children"]["mlx"]) == [
        "state",
        "pid",
        "started_at",
        "restarts",
        "last_exit",
        "build",
        "problem",
        "remedy",
    ]
    assert list(plain["children"]["mlx"]["last_exit"]) == ["code", "signal", "at", "stack"]


@pytest.mark.parametrize("text", ["", '{"pid": 1', '{"pid": 1}', '{"pid": "1", "started": 1.0}'])
def test_a_file_that_is_no_report_counts_for_nothing(tmp_path: Path, text: str) -> None:
    supervisor_file(tmp_path).write_text(text)
    assert read_supervisor(tmp_path) is None
    assert read_children(tmp_path) == {}


def test_final_states_are_states_of_a_child() -> None:
    assert set(get_args(ChildState)) > FINAL_STATES
