"""How long a call and a job still take."""

from __future__ import annotations

import random

import pytest

from coordinator.timing.courses import Course, Courses
from coordinator.timing.durations import filled, left_ms
from protocol.messages import CallIdentity

CALL = CallIdentity(job="job-1", step="asr", attempt=1, run="1")


def course(*reports: tuple[float, float]) -> Course:
    """Return the course of a call that reported (second, fraction)."""
    (first_s, fraction), *others = reports
    made = Course(fraction, first_s)
    for now_s, risen in others:
        made.rise(risen, now_s)
    return made


def test_a_calls_pace_does_not_count_what_came_before_its_first_report() -> None:
    assert course((30, 0.0), (31, 0.1), (32, 0.2)).pace_s() == pytest.approx(10)
    assert course((30, 0.5)).pace_s() is None


def test_an_interruption_is_not_the_calls_own_pace() -> None:
    reports = [(second, second / 100) for second in range(20)]
    interrupted = course(*reports, (80.0, 0.2), (81.0, 0.21))
    assert interrupted.pace_s() == pytest.approx(100)


def test_without_a_rate_and_early_in_a_call_no_time_is_told() -> None:
    assert left_ms(None, None, 5_000, 5) is None
    assert left_ms(None, course((0, 0.0)), 5_000, 5) is None
    assert left_ms(None, course((0, 0.0), (1, 0.1)), 1_000, 1) is None
    assert left_ms(None, course((0, 0.0), (1, 0.1), (2, 0.2)), 2_000, 2) == pytest.approx(8_000)


def test_a_call_that_does_not_report_takes_what_such_calls_took() -> None:
    assert left_ms(10_000, None, 4_000, 4) == 6_000
    assert left_ms(10_000, None, 40_000, 40) == 1_000


def test_time_runs_on_between_two_reports_but_not_past_the_next() -> None:
    made = course((0, 0.0), (10, 0.25), (20, 0.5))
    assert left_ms(None, made, 0, 20) == pytest.approx(20_000)
    assert left_ms(None, made, 0, 26) == pytest.approx(14_000)
    assert left_ms(None, made, 0, 90) == pytest.approx(10_000)


def test_the_further_a_call_is_the_more_its_own_pace_counts() -> None:
    slow = [course(*((second, second / 100) for second in range(end))) for end in (2, 11, 31, 61)]
    told = [left_ms(50_000, made, 0, made.risen_s) for made in slow]
    truth = [1000 * (100 - made.risen_s) for made in slow]
    errors = [abs(1 - (told_ms or 0) / true_ms) for told_ms, true_ms in zip(told, truth, strict=True)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] == pytest.approx(0, abs=0.001)


@pytest.mark.parametrize("rate_ms", [None, 60_000])
def test_at_a_constant_pace_the_time_falls_with_every_report(rate_ms: float | None) -> None:
    made = Course(0.0, 0.0)
    told: list[float] = []
    for second in range(1, 61):
        made.rise(second / 60, second)
        if (left := left_ms(rate_ms, made, 1000 * second, second)) is not None:
            told.append(left)
    assert len(told) >= 48
    assert told == sorted(told, reverse=True)
    assert told[-1] == 0


@pytest.mark.parametrize("seed", range(100))
def test_the_time_that_is_left_is_never_negative(seed: int) -> None:
    dice = random.Random(seed)
    made = Course(dice.choice([0.0, 0.3]), 0.0)
    now_s = 0.0
    for _ in range(dice.randint(0, 30)):
        now_s += dice.expovariate(1)
        made.rise(min(1.0, made.fraction + dice.choice([0.0, -0.1, 0.01, 0.1])), now_s)
    rate_ms = dice.choice([None, 0.0, 1.0, 60_000.0])
    for later_s in (0.0, 1.0, 1_000.0):
        left = left_ms(rate_ms, made, 1000 * now_s, now_s + later_s)
        assert left is None or left >= 0


def test_a_report_is_held_between_0_and_1_and_forgotten_with_its_call() -> None:
    courses = Courses()
    for fraction in (float("nan"), 0.5, 0.2, 7.0):
        courses.note(CALL, fraction, 1.0)
    assert dict(courses) == {("job-1", "asr"): 1.0}
    courses.forget(("job-1", "asr"))
    courses.forget(("job-1", "asr"))
    assert len(courses) == 0
    assert courses.of(("job-1", "asr")) is None


def test_what_was_not_measured_takes_what_its_weight_says() -> None:
    stages = {"demux": "demux", "asr": "asr", "align": "align"}
    assert filled(stages, {"asr": 50_000.0}) == {"demux": 3_000, "asr": 50_000, "align": 12_000}


def test_a_short_step_does_not_tell_how_long_a_long_one_takes() -> None:
    stages = {"demux": "demux", "asr": "asr", "align": "align"}
    assert filled(stages, {"demux": 300.0}) == {"demux": 300, "asr": None, "align": None}
    assert filled({}, {}) == {}
