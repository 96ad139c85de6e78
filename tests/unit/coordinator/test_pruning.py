from __future__ import annotations

import logging
import sqlite3

import pytest

from coordinator.pruning import FAILED_KEPT_MS, Pruning
from envspecs.keeping import prune_after_ms
from protocol.errors import UsageError
from protocol.job_changes import Pruned

DAY_S = 86_400.0
DAY_MS = 86_400_000
NOTHING = Pruned(jobs=(), size_bytes=0)


class Asked:
    """Takes requests and gives the answers that a test has laid down, then that nothing is left."""

    def __init__(self, *answers: Pruned | Exception) -> None:
        self.answers = list(answers)
        self.requests = []

    def __call__(self, request):
        self.requests.append(request)
        answer = self.answers.pop(0) if self.answers else NOTHING
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.mark.parametrize(
    ("text", "age_ms"), [("", None), ("off", None), ("30d", 30 * DAY_MS), (" 12h ", 43_200_000)]
)
def test_nothing_is_removed_unless_a_person_says_so(text, age_ms):
    assert prune_after_ms({"CPW_PRUNE": text}) == age_ms
    assert prune_after_ms({}) is None


@pytest.mark.parametrize("text", ["30", "0s", "59min", "-1d", "1w", "on"])
def test_a_wrong_age_is_refused_with_an_example(text):
    with pytest.raises(UsageError, match="not an age of an hour or more") as caught:
        prune_after_ms({"CPW_PRUNE": text})
    assert "CPW_PRUNE=30d" in caught.value.remedy


def test_without_the_setting_nothing_is_asked():
    asked = Asked()
    pruning = Pruning(asked, None, 0.0)
    pruning.look(10 * DAY_S)
    assert asked.requests == []


def test_old_jobs_go_soon_after_the_start_and_then_once_a_day():
    asked = Asked()
    pruning = Pruning(asked, 40 * DAY_MS, 1_000.0)
    for now_s in (1_000.0, 1_059.0, 1_060.0, 1_061.0, 1_062.0, 50_000.0, 1_060.0 + DAY_S, 1_061.0 + DAY_S):
        pruning.look(now_s)
    assert [(request.states, request.older_than_ms) for request in asked.requests] == 2 * [
        (("done", "cancelled"), 40 * DAY_MS),
        (("failed",), 40 * DAY_MS),
    ]
    assert not any(request.dry_run for request in asked.requests)


def test_failed_jobs_are_kept_for_a_month_whatever_is_set():
    asked = Asked()
    pruning = Pruning(asked, DAY_MS, 0.0)
    pruning.look(60.0)
    pruning.look(61.0)
    assert [request.older_than_ms for request in asked.requests] == [DAY_MS, FAILED_KEPT_MS]


def test_one_turn_removes_one_portion_and_the_log_says_how_many_went(caplog):
    caplog.set_level(logging.INFO)
    asked = Asked(
        Pruned(jobs=("a", "b"), size_bytes=3_000_000, last=7, more=True),
        Pruned(jobs=("c",), size_bytes=1_000_000, last=9, kept=("d: /x: Permission denied.",)),
    )
    pruning = Pruning(asked, DAY_MS, 0.0)
    for now_s in (60.0, 60.1, 60.2, 60.3):
        pruning.look(now_s)
    assert [request.after for request in asked.requests] == [0, 7, 0]
    assert "CPW_PRUNE: 3 old jobs removed, 4 MB" in caplog.text
    assert "an old job is kept: d: /x: Permission denied." in caplog.text


def test_a_full_disk_does_not_end_the_loop(caplog):
    asked = Asked(sqlite3.OperationalError("database or disk is full"))
    pruning = Pruning(asked, DAY_MS, 0.0)
    pruning.look(60.0)
    pruning.look(61.0)
    assert len(asked.requests) == 1
    assert "the next try is tomorrow" in caplog.text
    pruning.look(60.0 + DAY_S)
    assert len(asked.requests) == 2
