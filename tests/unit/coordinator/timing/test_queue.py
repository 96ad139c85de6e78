"""When steps of several jobs will be done, by the workers that there are."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from coordinator.timing.queue import Task, finish_times


def task(environment: str, takes: float, job: int = 1, *needs: int, running: bool = False) -> Task:
    return Task(environment=environment, takes=takes, order=(job,), needs=needs, running=running)


ONE_EACH = {"common": 1, "speech": 1, "text": 1}


def test_the_steps_of_a_job_follow_each_other() -> None:
    tasks = [task("common", 1), task("speech", 10, 1, 0), task("common", 2, 1, 1)]
    assert finish_times(tasks, ONE_EACH) == [1, 11, 13]


def test_a_worker_does_one_after_the_other_and_others_work_meanwhile() -> None:
    tasks = [task("speech", 10), task("text", 5, 1, 0), task("speech", 10, 2), task("text", 5, 2, 2)]
    assert finish_times(tasks, ONE_EACH) == [10, 15, 20, 25]


def test_two_workers_of_an_environment_halve_the_time() -> None:
    tasks = [task("speech", 10, job) for job in range(4)]
    assert max(finish_times(tasks, {"speech": 2})) == 20


def test_what_runs_goes_first_whatever_its_order() -> None:
    assert finish_times([task("speech", 3, 1), task("speech", 4, 2, running=True)], ONE_EACH) == [7, 4]


def test_of_what_is_ready_the_lowest_order_goes_first() -> None:
    assert finish_times([task("speech", 3, 2), task("speech", 4, 1)], ONE_EACH) == [7, 4]


def test_behind_a_step_of_unknown_length_nothing_is_known() -> None:
    tasks = [task("speech", 10), task("speech", inf, 2), task("speech", 10, 3), task("text", 1, 3)]
    assert finish_times(tasks, ONE_EACH) == [10, inf, inf, 1]


def test_an_environment_without_a_worker_ends_nothing() -> None:
    assert finish_times([task("gone", 1), task("text", 1, 1, 0)], ONE_EACH) == [inf, inf]


def test_two_calls_in_one_worker_both_end() -> None:
    tasks = [task("speech", 4, 1, running=True), task("speech", 2, 2, running=True), task("speech", 1, 3)]
    assert finish_times(tasks, ONE_EACH) == [4, 2, 5]


@given(
    st.lists(
        st.tuples(st.sampled_from(["common", "speech"]), st.integers(0, 100), st.booleans()), max_size=30
    ),
    st.integers(1, 3),
)
def test_no_play_is_shorter_than_the_busiest_environment_or_longer_than_one_after_the_other(
    steps: list[tuple[str, int, bool]], workers: int
) -> None:
    tasks = [
        task(name, takes, place, *([place - 1] if follows and place else []))
        for place, (name, takes, follows) in enumerate(steps)
    ]
    ends = finish_times(tasks, {"common": workers, "speech": workers})
    for name in ("common", "speech"):
        busy = sum(begun.takes for begun in tasks if begun.environment == name)
        assert max(ends, default=0) >= busy / workers
    assert max(ends, default=0) <= sum(begun.takes for begun in tasks)
    assert all(
        ends[place] >= ends[need] + begun.takes for place, begun in enumerate(tasks) for need in begun.needs
    )


def test_nothing_to_do_takes_no_time() -> None:
    assert finish_times([], ONE_EACH) == []
