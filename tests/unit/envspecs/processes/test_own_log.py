from __future__ import annotations

import logging
import os

import pytest

from envspecs.processes.own_log import OwnLog, supervisor_log


@pytest.fixture
def say(tmp_path):
    made = []

    def begin(most_bytes, *, takes_output=False):
        made.append(OwnLog(supervisor_log(tmp_path), most_bytes=most_bytes, takes_output=takes_output))
        return lambda text: made[-1].handle(
            logging.LogRecord("supervisor", logging.INFO, "", 0, text, None, None)
        )

    yield begin
    for log in made:
        log.close()


def test_the_supervisors_log_has_a_bound(say, tmp_path):
    line = say(1_000)
    for number in range(200):
        line(f"line {number}")
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["supervisor.log", "supervisor.log.1", "supervisor.log.2"]
    assert all(path.stat().st_size <= 1_000 for path in tmp_path.iterdir())
    assert supervisor_log(tmp_path).read_text().endswith("INFO supervisor: line 199\n")


def test_what_the_process_itself_prints_goes_to_the_newest_file(say, tmp_path):
    kept = [os.dup(descriptor) for descriptor in (1, 2)]
    try:
        line = say(150, takes_output=True)
        for number in range(4):
            line(f"a line of some length, number {number}")
        os.write(2, b"Fatal Python error\n")
    finally:
        for number, descriptor in enumerate(kept, start=1):
            os.dup2(descriptor, number)
            os.close(descriptor)
    assert supervisor_log(tmp_path).read_text().endswith("Fatal Python error\n")
    assert (tmp_path / "supervisor.log.1").is_file()
