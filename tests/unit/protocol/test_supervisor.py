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
    child_name,
    child_of,
    children_of,
    environment_of,
    parse_command,
    read_children,
    read_supervisor,
    render_command,
    supervisor_file,
    write_supervisor,
)

LINES: list[tuple[Command, str]] = [
    (
        Kill(child="mlx.2", pid=3, reason="no echo"),
        '{"kill": "mlx.2", "pid": 3, "reason": "no echo"}\n',
    ),
    (Forgive(child="mlx"), '{"forgive": "mlx"}\n'),
    (Reload(environment="mlx", now=True), '{"reload": "mlx", "now": true}\n'),
    (Proved(child="mlx", pid=3), '{"proved": "mlx", "pid": 3}\n'),
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
    assert list(plain) == ["pid", "started", "run", "state", "children", "code", "service"]
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
    assert list(plain["children"]["mlx"]["last_exit"]) == ["code", "signal", "at", "stack", "stack_text"]


@pytest.mark.parametrize("text", ["", '{"pid": 1', '{"pid": 1}', '{"pid": "1", "started": 1.0}'])
def test_a_file_that_is_no_report_counts_for_nothing(tmp_path: Path, text: str) -> None:
    supervisor_file(tmp_path).write_text(text)
    assert read_supervisor(tmp_path) is None
    assert read_children(tmp_path) == {}


def test_final_states_are_states_of_a_child() -> None:
    assert set(get_args(ChildState)) > FINAL_STATES


def test_the_first_worker_has_its_environments_name_and_the_others_a_number() -> None:
    names = [child_name("whisperx-new", number) for number in (1, 2, 10)]
    assert names == ["whisperx-new", "whisperx-new.2", "whisperx-new.10"]
    assert {environment_of(name) for name in names} == {"whisperx-new"}


@pytest.mark.parametrize(
    ("worker", "child"),
    [
        ("whisperx.4711.1a2b3c", "whisperx"),
        ("whisperx.2.4711.1a2b3c", "whisperx.2"),
        ("whisperx-new.2.4711.1a2b3c", "whisperx"),
        ("w", "whisperx"),
        ("", "whisperx"),
    ],
)
def test_a_workers_id_says_what_the_supervisor_calls_it(worker: str, child: str) -> None:
    assert child_of(worker, "whisperx") == child


def test_the_workers_of_an_environment_are_in_the_order_of_their_numbers() -> None:
    children = dict.fromkeys(("x.10", "coordinator", "x.2", "x", "x-new", "y.2"), 0)
    assert list(children_of("x", children)) == ["x", "x.2", "x.10"]
    assert children_of("z", children) == {}
