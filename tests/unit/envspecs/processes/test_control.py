"""Commands from a pipe and, on a node, from a FIFO."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest

from envspecs.processes.control import Control
from protocol.supervisor import Beat, Forgive, Kill, render_command


def write(fifo: Path, data: bytes) -> None:
    """Write as the agent does, which comes and goes."""
    descriptor = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    os.write(descriptor, data)
    os.close(descriptor)


def test_commands_of_pipe_and_fifo_are_heard(tmp_path: Path) -> None:
    fifo = tmp_path / "control"
    control = Control(fifo)
    assert fifo.stat().st_mode & 0o777 == 0o600
    os.write(control.write, render_command(Beat(run="r")))
    write(fifo, render_command(Kill(child="whisperx", pid=4711)))
    assert set(control.hear()) == {Beat(run="r"), Kill(child="whisperx", pid=4711)}
    write(fifo, render_command(Forgive(child="whisperx")))
    assert select.select(control.descriptors(), [], [], 1)[0]
    assert list(control.hear()) == [Forgive(child="whisperx")]


def test_a_fifo_whose_writer_went_is_not_read_again_and_again(tmp_path: Path) -> None:
    control = Control(tmp_path / "control")
    write(tmp_path / "control", b"")
    assert select.select(control.descriptors(), [], [], 0)[0] == []
    assert list(control.hear()) == []


def test_half_a_line_waits_for_its_end_and_a_wrong_one_is_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    control = Control(tmp_path / "control")
    line = render_command(Forgive(child="common"))
    write(tmp_path / "control", b"{nonsense}\n" + line[:10])
    assert list(control.hear()) == []
    assert "refused" in caplog.text
    write(tmp_path / "control", line[10:])
    assert list(control.hear()) == [Forgive(child="common")]


def test_the_fifo_is_made_again_where_its_folder_was_removed(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    control = Control(folder / "control")
    (folder / "control").unlink()
    control.open_fifo()
    write(folder / "control", render_command(Forgive(child="common")))
    assert list(control.hear()) == [Forgive(child="common")]
    assert len(control.descriptors()) == 2


def test_where_there_is_a_coordinator_there_is_no_fifo(tmp_path: Path) -> None:
    control = Control()
    control.open_fifo()
    assert len(control.descriptors()) == 1


def test_a_line_without_end_is_not_kept(tmp_path: Path) -> None:
    control = Control(tmp_path / "control")
    for _ in range(3):
        write(tmp_path / "control", b"x" * 60_000)
        assert list(control.hear()) == []
    write(tmp_path / "control", b"\n" + render_command(Forgive(child="common")))
    assert list(control.hear()) == [Forgive(child="common")]
