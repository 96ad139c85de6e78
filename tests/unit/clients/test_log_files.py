from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from clients.log_files import Tail, last_lines


class Log:
    """A log as `RotatingFileHandler` keeps it: the newest file and two earlier ones."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.earlier = [path.with_name(f"{path.name}.{number}") for number in (1, 2)]

    def write(self, text: str) -> None:
        with self.path.open("a") as file:
            file.write(text)

    def rotate(self, *, begin: bool = True) -> None:
        first, second = self.earlier
        if first.exists():
            first.replace(second)
        self.path.replace(first)
        if begin:
            self.path.touch()


@pytest.fixture
def log(tmp_path):
    made = Log(tmp_path / "x.log")
    made.write("old\n")
    return made


@pytest.fixture
def tail(log):
    with contextlib.closing(Tail(log.path)) as made:
        yield made


def test_a_log_that_is_begun_anew_is_read_from_its_start(log, tail):
    log.path.write_text("a long first line\n")
    assert tail.read() == ["a long first line"]
    log.path.write_text("b\n")
    assert tail.read() == ["b"]


def test_what_was_written_before_a_rotation_is_not_lost(log, tail):
    assert tail.begin(10) == ["old"]
    log.write("last of the old file\n")
    log.rotate()
    log.write("first of the new one\n")
    assert tail.read() == ["last of the old file", "first of the new one"]
    assert tail.read() == []


def test_two_rotations_between_two_looks_lose_nothing(log, tail):
    tail.begin(0)
    log.write("1\n")
    log.rotate()
    log.write("2\n")
    log.rotate()
    log.write("3\n")
    assert tail.read() == ["1", "2", "3"]


def test_a_look_in_the_middle_of_a_rotation_neither_loses_nor_doubles(log, tail):
    tail.begin(0)
    log.write("1\n")
    log.rotate(begin=False)
    assert tail.read() == ["1"]
    log.write("2\n")
    assert tail.read() == ["2"]


def test_half_a_line_waits_for_its_rest(log, tail):
    tail.begin(0)
    log.write("half")
    assert tail.read() == []
    log.write(" a line\nnext")
    assert tail.read() == ["half a line"]
    log.rotate()
    assert tail.read() == ["next"]


def test_a_log_that_is_not_there_yet_is_read_when_it_comes(tmp_path):
    with contextlib.closing(Tail(tmp_path / "later.log")) as tail:
        assert tail.begin(5) == []
        assert tail.read() == []
        (tmp_path / "later.log").write_text("here\n")
        assert tail.read() == ["here"]


def test_the_last_lines_reach_back_into_earlier_files(log):
    log.rotate()
    log.write("middle 1\nmiddle 2\n")
    log.rotate()
    log.write("new\n")
    assert last_lines(log.path, 3) == ["middle 1", "middle 2", "new"]
    assert last_lines(log.path, 50) == ["old", "middle 1", "middle 2", "new"]
    assert last_lines(log.path, 0) == []


def test_lines_and_rotations_in_any_order_are_followed_whole(log, tail):
    chance = random.Random(7)
    tail.begin(0)
    written, seen, since_look = [], [], 0
    for number in range(500):
        turn = chance.random()
        if turn < 0.6:
            log.write(f"{number}\n")
            written.append(str(number))
        elif turn < 0.75 and since_look < 2:  # more than the files that are kept cannot be followed
            log.rotate()
            since_look += 1
        else:
            seen += tail.read()
            since_look = 0
    assert seen + tail.read() == written
