"""Which models are unloaded when all workers together take too much memory."""

from __future__ import annotations

from typing import Any

import pytest

from coordinator.running.memory import LOW_WATER, REST_MS, WorkerMemory, to_unload
from coordinator.running.roster import Member
from protocol.clock import parse_iso_ms
from protocol.messages import CallIdentity, LoadedModel, State, Unload
from tests.lone_coordinator import LoneCoordinator, called

NOW_MS = parse_iso_ms("2026-11-22T12:00:00.000Z")
CALL = CallIdentity(job="j", step="s", attempt=1, run="1")
MB = 1_000_000


def model(name: str, used: str, size: int = 500, device: str = "cpu") -> LoadedModel:
    at = f"2026-11-22T{used}:00.000Z" if used else ""
    return LoadedModel(key=name, loads=1, load_ms=1, bytes=size * MB, device=device, used_at=at)


def member(name: str, rss: int, *models: LoadedModel, **fields: Any) -> Member:
    given = {
        "name": name, "environment": name, "pid": 1, "pulse": "", "stages": {}, "started_at": "",
        "met_s": 0.0, "met_at": "", "ready_by_s": 0.0, "echoed_s": 0.0, "state": "ready",
    }  # fmt: skip
    return Member(**(given | {"rss_bytes": rss * MB, "models": models} | fields))


def test_nothing_goes_while_all_is_within_the_budget() -> None:
    members = [member("a", 2_000, model("x", "10:00")), member("b", 2_000, model("y", "11:00"))]
    assert to_unload(members, 4_000 * MB, NOW_MS) == []
    assert to_unload(members, 0, NOW_MS) == []
    assert to_unload([], 4_000 * MB, NOW_MS) == []


def test_the_least_recently_used_goes_first_over_all_workers() -> None:
    members = [
        member("a", 3_000, model("x", "10:30"), model("z", "08:00")),
        member("b", 1_500, model("y", "09:00")),
    ]
    # 4,500 of 4,000: down to 3,600 by 500 each.
    assert to_unload(members, 4_000 * MB, NOW_MS) == [("a", "z"), ("b", "y")]


def test_no_more_goes_than_is_needed_to_be_well_under_the_budget() -> None:
    members = [member("a", 4_100, *(model(letter, "10:00") for letter in "uvwxyz"))]
    found = to_unload(members, 4_000 * MB, NOW_MS)
    assert found == [("a", "u")]
    left = 4_100 * MB - len(found) * 500 * MB
    assert left <= LOW_WATER * 4_000 * MB


def test_a_worker_that_runs_a_call_or_has_one_ahead_keeps_its_models() -> None:
    old = model("old", "01:00")
    for fields in (
        {"call": CALL, "state": "busy"},
        {"ahead": CALL},
        {"state": "loading"},
        {"state": "draining"},
        {"kill_asked": True},
        {"unreachable": True},
    ):
        assert to_unload([member("a", 9_000, old, **fields)], 4_000 * MB, NOW_MS) == []
    assert to_unload([member("a", 9_000, old)], 4_000 * MB, NOW_MS) == [("a", "old")]


def test_a_model_of_a_gpu_or_of_unknown_size_would_make_no_room() -> None:
    members = [member("a", 9_000, model("g", "01:00", device="cuda:0"), model("u", "01:00", size=0))]
    assert to_unload(members, 4_000 * MB, NOW_MS) == []


def test_a_model_that_was_just_used_stays_so_that_nothing_is_loaded_back_and_forth() -> None:
    members = [member("a", 9_000, model("x", "11:59"))]
    used_ms = parse_iso_ms("2026-11-22T11:59:00.000Z")
    assert to_unload(members, 4_000 * MB, used_ms + REST_MS - 1) == []
    assert to_unload(members, 4_000 * MB, used_ms + REST_MS) == [("a", "x")]


def test_a_worker_that_does_not_say_when_goes_first() -> None:
    members = [member("a", 9_000, model("x", "01:00")), member("b", 1_000, model("y", ""))]
    assert to_unload(members, 9_900 * MB, NOW_MS) == [("b", "y"), ("a", "x")]


def test_after_an_order_the_workers_are_given_time() -> None:
    members = [member("a", 9_000, model("x", "01:00"), model("y", "02:00"))]
    memory = WorkerMemory(4_000 * MB)
    assert memory.look(members, 100.0) == {"a": ("x", "y")}
    assert memory.look(members, 104.9) == {}
    assert memory.look(members, 105.1) == {"a": ("x", "y")}
    assert WorkerMemory().look(members, 100.0) == {}


def test_the_loop_asks_an_idle_worker_to_let_go(lone: LoneCoordinator) -> None:
    lone.coordinator.memory.budget_bytes = 4_000 * MB
    worker = lone.worker("speech")
    worker.say(State(state="ready", rss_bytes=9_000 * MB, models=(model("x", "01:00"),)))
    assert lone.until(lambda: worker.heard(Unload))


_NO_PROCESS = 1 << 22  # above any process id


def test_a_call_that_reached_a_worker_too_late_is_given_to_the_next_and_costs_nothing(
    lone: LoneCoordinator,
) -> None:
    job, worker = lone.add_job(), lone.worker(pid=_NO_PROCESS)
    called(lone, worker)
    worker.say(State(state="draining"))
    lone.until(lambda: lone.members[worker.name].state == "draining")
    worker.leave()
    lone.until(lambda: lone.step(job).state == "ready")
    assert (lone.step(job).kills, lone.step(job).failures) == (0, 0)


@pytest.mark.parametrize(("code", "at", "kills"), [(80, "2999", 0), (1, "2999", 1), (80, "2001", 1)])
def test_a_worker_that_made_room_by_the_supervisors_record_had_lost_no_call_of_its_own(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch, code: int, at: str, kills: int
) -> None:
    monkeypatch.setattr("coordinator.watching.EXIT_RECORDED_WITHIN_S", 0.0)
    gone = {"at": f"{at}-01-01T00:00:00.000Z", "code": code, "signal": None, "stack": None}
    lone.supervised(common={"state": "restarting", "last_exit": gone})
    job, worker = lone.add_job(), lone.worker(pid=_NO_PROCESS)
    called(lone, worker)
    worker.leave()
    lone.until(lambda: lone.step(job).state != "running")
    assert lone.step(job).kills == kills
