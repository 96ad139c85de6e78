"""What a node gives away of its logs."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.relay.logs import read_log
from protocol.cluster.logs import LOG_BYTES, LogQuery


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "logs").mkdir()
    (tmp_path / "secret.log").write_text("not for others\n")
    return tmp_path / "logs"


def test_of_a_long_log_whole_lines_of_its_end_are_read(folder: Path) -> None:
    lines = [f"line {number}\n" for number in range(20_000)]
    (folder / "whisperx.log").write_text("".join(lines))
    found = read_log(folder, LogQuery(node="box", log="whisperx"))
    assert len(found.text) <= LOG_BYTES
    assert found.text.splitlines(keepends=True) == lines[-len(found.text.splitlines()) :]
    assert found.end == (folder / "whisperx.log").stat().st_size


def test_half_a_line_waits_for_its_rest(folder: Path) -> None:
    log = folder / "common.log"
    log.write_text("one\ntw")
    first = read_log(folder, LogQuery(node="box", log="common"))
    log.write_text("one\ntwo\n")
    second = read_log(folder, LogQuery(node="box", log="common", after=first.end))
    assert (first.text, second.text) == ("one\n", "two\n")
    assert read_log(folder, LogQuery(node="box", log="common", after=second.end)).text == ""


def test_a_line_longer_than_an_answer_is_no_reason_to_stand_still(folder: Path) -> None:
    (folder / "common.log").write_text("x" * (LOG_BYTES + 10))
    found = read_log(folder, LogQuery(node="box", log="common", after=0))
    assert (len(found.text), found.end) == (LOG_BYTES, LOG_BYTES)


@pytest.mark.parametrize("after", [9_000, -5])
def test_a_log_that_was_begun_anew_is_read_from_its_start(folder: Path, after: int) -> None:
    (folder / "common.log").write_text("new\n")
    assert read_log(folder, LogQuery(node="box", log="common", after=after)).text == "new\n"


@pytest.mark.parametrize("name", ["../secret", "nllb", "", "/etc/passwd"])
def test_nothing_outside_the_folder_is_read_and_the_answer_names_what_there_is(
    folder: Path, name: str
) -> None:
    (folder / "common.log").write_text("a\n")
    found = read_log(folder, LogQuery(node="box", log=name))
    assert (found.text, found.logs) == ("", ("common",))
