"""When a child is started again, without a child."""

from __future__ import annotations

import pytest

from envspecs.processes.restart import Decision, Exit, after_setup, decide_restart
from protocol.errors import WorkerExit


def short_lives(count: int) -> list[Exit]:
    return [Exit(-9, at_s=float(number), lived_s=1.0) for number in range(count)]


def test_the_first_death_is_followed_by_a_restart_almost_at_once() -> None:
    assert decide_restart("whisperx", [Exit(-9, 100.0, 3600.0)]).delay_s <= 0.2


def test_each_short_life_makes_the_next_wait_longer() -> None:
    delays = [decide_restart("x", short_lives(count)).delay_s for count in range(1, 6)]
    assert delays == sorted(delays)
    assert delays[-1] > 10 * delays[0]


def test_a_crash_loop_is_stopped_with_the_command_that_shows_why() -> None:
    decision = decide_restart("whisperx", short_lives(6))
    assert decision.state == "crash-loop"
    assert "6 times" in decision.problem
    assert decision.remedy == "cpw logs whisperx"


@pytest.mark.parametrize("exits", [short_lives(6), [Exit(WorkerExit.UNUSABLE, 1.0, 1.0)]])
def test_where_there_is_an_earlier_build_it_is_the_way_back(exits: list[Exit]) -> None:
    assert decide_restart("whisperx", exits, earlier=True).remedy == "cpw envs rollback whisperx"
    assert decide_restart("whisperx", exits).remedy == "cpw logs whisperx"


def test_a_long_life_in_between_ends_the_count() -> None:
    exits = [*short_lives(5), Exit(1, 4000.0, 3900.0), Exit(1, 4010.0, 5.0)]
    assert decide_restart("x", exits).state == "restarting"


def test_a_new_worker_that_the_coordinator_refuses_is_not_started_again_and_all_is_to_be() -> None:
    decision = decide_restart("whisperx", [Exit(WorkerExit.OUTDATED, 1.0, 1.0)])
    assert (decision.state, decision.remedy) == ("outdated", "cpw down && make up")
    assert decision.problem == (
        "The code has changed since the start: whisperx and the coordinator do not fit together."
    )


def test_an_old_worker_that_a_new_coordinator_refuses_is_replaced() -> None:
    exits = [Exit(WorkerExit.OUTDATED, 9_000.0, 8_000.0)]
    assert decide_restart("whisperx", exits).state == "restarting"
    assert decide_restart("whisperx", [*exits, Exit(WorkerExit.OUTDATED, 9_002.0, 2.0)]).state == "outdated"


def test_engines_that_cannot_be_loaded_are_not_tried_again() -> None:
    assert decide_restart("x", [Exit(WorkerExit.UNUSABLE, 1.0, 1.0)]).state == "unusable"


def test_the_coordinator_is_never_given_up() -> None:
    decision = decide_restart("coordinator", short_lives(9))
    assert decision.state == "restarting"
    assert decision.delay_s >= 5.0
    assert "9 times" in decision.problem


def recycled(lived_s: float) -> Exit:
    return Exit(WorkerExit.RECYCLED, at_s=100.0, lived_s=lived_s)


def test_a_worker_that_makes_room_is_replaced_at_once_and_no_life_is_counted() -> None:
    decision = decide_restart("x", [*short_lives(5), recycled(900.0)])
    assert (decision.state, decision.delay_s, decision.problem) == ("restarting", 0.0, "")
    assert decide_restart("x", [recycled(900.0)] * 9).delay_s == 0.0
    assert decide_restart("x", [*short_lives(5), recycled(900.0), Exit(-9, 101.0, 1.0)]).state == "crash-loop"
    assert decide_restart("x", [*[recycled(1.0)] * 9, Exit(-9, 101.0, 1.0)]).state == "restarting"


def test_a_worker_that_makes_room_again_and_again_waits_and_its_budget_is_named() -> None:
    delays = [decide_restart("whisperx-new", [recycled(5.0)] * count).delay_s for count in range(1, 9)]
    assert delays[0] == 0.0
    assert delays == sorted(delays)
    assert delays[-1] == 5.0
    decision = decide_restart("whisperx-new", [recycled(5.0)] * 9)
    assert decision.state == "restarting"
    assert "CPW_MEMORY_WHISPERX_NEW" in decision.remedy


def test_the_second_worker_is_mended_as_its_environment_and_has_a_log_of_its_own() -> None:
    outdated = decide_restart("x.2", [Exit(WorkerExit.OUTDATED, 1.0, 1.0)])
    assert "x.2 and the coordinator do not fit" in outdated.problem
    assert decide_restart("x.2", short_lives(6)).remedy == "cpw logs x.2"
    assert decide_restart("x.2", short_lives(6), earlier=True).remedy == "cpw envs rollback x"
    worn = decide_restart("x.2", [Exit(WorkerExit.RECYCLED, float(number), 1.0) for number in range(3)])
    assert "CPW_MEMORY_X," in worn.remedy


def test_what_fetches_the_models_is_not_started_again_however_it_ends() -> None:
    assert after_setup(Exit(0, 100.0, 5.0)) == Decision("stopped")
    broken = after_setup(Exit(1, 100.0, 5.0))
    assert (broken.state, broken.remedy) == ("stopped", "cpw setup")


@pytest.mark.parametrize("name", ["ray", "cluster"])
def test_what_waits_for_a_head_that_is_away_is_never_given_up(name: str) -> None:
    decision = decide_restart(name, short_lives(40))
    assert decision.state == "restarting"
    assert decision.delay_s <= 5
    assert decision.remedy == f"cpw logs {name}"
