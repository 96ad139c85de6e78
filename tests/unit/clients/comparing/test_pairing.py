"""What belongs together by its time."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from clients.comparing.pairing import overlaps, pair_up


@dataclass(frozen=True)
class Stretch:
    start_ms: int
    end_ms: int


def stretches(*times: tuple[int, int]) -> list[Stretch]:
    return [Stretch(*time) for time in times]


def paired(a: list[Stretch], b: list[Stretch]) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    return [(pair.a, pair.b) for pair in pair_up(a, b)]


def test_two_that_the_other_has_as_one_belong_together() -> None:
    one = stretches((0, 4_000), (5_000, 6_000))
    two = stretches((0, 1_900), (2_000, 4_000), (5_050, 6_100))
    assert paired(one, two) == [((0,), (0, 1)), ((1,), (2,))]


def test_a_touch_joins_nothing_and_what_is_alone_stays_alone() -> None:
    a = stretches((0, 2_000), (9_000, 10_000))
    b = stretches((1_900, 4_000), (5_000, 6_000))
    assert paired(a, b) == [((0,), ()), ((), (0,)), ((), (1,)), ((1,), ())]


def test_what_has_no_length_belongs_to_what_it_lies_in() -> None:
    assert paired(stretches((100, 100)), stretches((0, 500))) == [((0,), (0,))]


TIMES = st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 400)), max_size=25)


@given(TIMES, TIMES)
def test_each_is_in_one_pair_and_no_overlap_is_overseen(
    a_times: list[tuple[int, int]], b_times: list[tuple[int, int]]
) -> None:
    a, b = (
        stretches(*((start, start + length) for start, length in sorted(row))) for row in (a_times, b_times)
    )
    pairs = pair_up(a, b)
    assert sorted(i for pair in pairs for i in pair.a) == list(range(len(a)))
    assert sorted(j for pair in pairs for j in pair.b) == list(range(len(b)))
    assert [pair.start_ms for pair in pairs] == sorted(pair.start_ms for pair in pairs)
    ends = {id(one): max(one.end_ms, one.start_ms + 1) for one in (*a, *b)}
    meant = {
        (i, j, min(ends[id(one)], ends[id(other)]) - max(one.start_ms, other.start_ms))
        for i, one in enumerate(a)
        for j, other in enumerate(b)
        if min(ends[id(one)], ends[id(other)]) > max(one.start_ms, other.start_ms)
    }
    assert set(overlaps(a, b)) == meant
