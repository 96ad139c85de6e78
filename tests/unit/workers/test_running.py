"""Calls inside calls: whose the output is, how long each ran, and when its budget ends."""

from __future__ import annotations

import faulthandler
import io
import logging
from collections.abc import Iterator

import pytest

from protocol.marks import Mark
from workers.output import Output
from workers.running import RunningCalls


class PlayedOutput(Output):
    """Remembers whose the next lines are."""

    def __init__(self) -> None:
        super().__init__("")
        self.owners: list[str] = []

    def belongs_to(self, mark: Mark) -> None:
        self.owners.append(mark.job)


class Played:
    """Running calls under a clock and an alarm in the test's hands."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self.alarm_s: float | None = None
        self.output = PlayedOutput()
        self.calls = RunningCalls(self.output, io.StringIO(), clock=lambda: self.now_s)

    def set_alarm(self, timeout: float, **_: object) -> None:
        self.alarm_s = timeout

    def clear_alarm(self) -> None:
        self.alarm_s = None

    def begin(self, job: str, budget_s: float = 60, *, debug: bool = False) -> None:
        self.calls.begin(Mark(job=job, step="asr"), budget_s, debug=debug)

    def pass_s(self, seconds: float) -> None:
        self.now_s += seconds


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Iterator[Played]:
    """Return it; the log's level is put back afterwards."""
    level = logging.getLogger().level
    made = Played()
    monkeypatch.setattr(faulthandler, "dump_traceback_later", made.set_alarm)
    monkeypatch.setattr(faulthandler, "cancel_dump_traceback_later", made.clear_alarm)
    yield made
    logging.getLogger().setLevel(level)


def test_a_call_alone_has_the_output_its_budget_and_its_time(played: Played) -> None:
    played.begin("long", 60)
    assert played.alarm_s == 60
    played.pass_s(2.5)
    assert played.calls.used_ms() == 2_500
    played.calls.end()
    assert played.alarm_s is None
    assert played.output.owners == ["long", ""]


def test_output_goes_back_to_the_interrupted_call(played: Played) -> None:
    played.begin("long")
    played.begin("short")
    played.calls.end()
    played.calls.end()
    assert played.output.owners == ["long", "short", "long", ""]


def test_the_time_of_an_interrupted_call_stands_still_and_so_does_its_budget(played: Played) -> None:
    played.begin("long", 60)
    played.pass_s(10)
    played.begin("middle", 30)
    assert played.alarm_s == 30
    played.pass_s(4)
    played.begin("short", 5)
    assert played.alarm_s == 5
    played.pass_s(3)
    assert played.calls.used_ms() == 3_000
    played.calls.end()
    assert played.alarm_s == 26
    played.pass_s(1)
    assert played.calls.used_ms() == 5_000
    played.calls.end()
    assert played.alarm_s == 50
    played.pass_s(10)
    assert played.calls.used_ms() == 20_000


def test_a_call_that_had_no_time_left_ends_as_soon_as_it_goes_on(played: Played) -> None:
    played.begin("long", 10)
    played.pass_s(11)
    played.begin("short", 5)
    played.calls.end()
    assert played.alarm_s is not None
    assert 0 < played.alarm_s < 0.1


def test_a_call_without_a_budget_has_no_alarm_of_its_own_nor_another_ones(played: Played) -> None:
    played.begin("long", 60)
    played.begin("short", 0)
    assert played.alarm_s is None
    played.calls.end()
    assert played.alarm_s == 60


def test_the_level_of_the_log_is_that_of_the_call_on_top(played: Played) -> None:
    def level() -> int:
        return logging.getLogger().level

    played.begin("long", debug=True)
    assert level() == logging.DEBUG
    played.begin("short")
    assert level() == logging.INFO
    played.calls.end()
    assert level() == logging.DEBUG
