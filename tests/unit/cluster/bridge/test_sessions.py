"""What the bridge decides about a node, with time as an argument."""

from __future__ import annotations

from dataclasses import replace

from cluster.bridge.sessions import (
    ANSWER_MS,
    Ask,
    Close,
    End,
    Following,
    Open,
    Pull,
    Say,
    begin,
    on_broken,
    on_connected,
    on_facts,
    on_no_facts,
    on_pulled,
    on_superseded,
    on_tick,
)
from protocol.cluster.bridge import AgentFacts

FACTS = AgentFacts(node="big-box", place="here", session=4)


def connected(now_ms: int = 0) -> Following:
    node, _ = begin("127.0.0.2", now_ms)
    node, actions = on_facts(node, FACTS, "", now_ms)
    assert actions == (Open(name="big-box"),)
    node, actions = on_connected(node, now_ms)
    assert actions[-1] == Pull(session=5), "one more than the agent knows"
    return node


def kinds(actions: tuple[object, ...]) -> list[type]:
    return [type(action) for action in actions]


def test_a_node_is_asked_then_connected_then_pulled() -> None:
    _, actions = begin("127.0.0.2", 0)
    assert actions == (Ask(),)
    node, actions = on_pulled(connected(), 5, 100)
    assert actions == (Pull(session=5),)
    assert node.since_ms == 100


def test_the_answer_of_an_earlier_session_is_nothing() -> None:
    node = connected()
    assert on_pulled(node, 4, 100) == (node, ())
    assert on_broken(node, 4, "x", 100) == (node, ())


def test_ten_seconds_without_an_answer_are_a_node_that_hangs() -> None:
    node = connected()
    assert on_tick(node, ANSWER_MS - 1) == (node, ())
    node, actions = on_tick(node, ANSWER_MS)
    assert kinds(actions) == [Close, End, Say]
    assert actions[1] == End(session=5)
    assert "big-box" in node.problem
    assert "10 s" in node.problem


def test_a_node_that_answers_again_gets_a_new_session() -> None:
    node, _ = on_tick(connected(), ANSWER_MS)
    node, actions = on_tick(node, ANSWER_MS + 200)
    assert actions == (Ask(),)
    node, _ = on_facts(node, replace(FACTS, session=5), "", 10_300)
    node, actions = on_connected(node, 10_400)
    assert actions[-1] == Pull(session=6)
    assert node.problem == ""


def test_an_agent_that_was_restarted_and_counts_from_nothing_gets_a_higher_number() -> None:
    node, _ = on_broken(connected(), 5, "ActorUnavailableError", 0)
    node, _ = on_tick(node, 200)
    node, _ = on_facts(node, replace(FACTS, session=0), "", 300)
    assert on_connected(node, 400)[1][-1] == Pull(session=6)


def test_a_node_that_does_not_answer_is_asked_ever_more_seldom_and_it_is_said_once() -> None:
    node, _ = begin("127.0.0.2", 0)
    now_ms, rests, said = 0, [], 0
    for _ in range(6):
        node, actions = on_no_facts(node, "ActorDiedError", now_ms)
        said += len(actions)
        begun = now_ms
        while on_tick(node, now_ms)[1] == ():
            now_ms += 100
        rests.append(now_ms - begun)
        node, _ = on_tick(node, now_ms)
    assert rests == [200, 500, 1_000, 2_000, 2_000, 2_000]
    assert said == 1


def test_a_question_without_an_answer_is_asked_again() -> None:
    node, _ = begin("127.0.0.2", 0)
    node, actions = on_tick(node, ANSWER_MS)
    assert kinds(actions) == [Say]
    assert on_tick(node, ANSWER_MS + 200)[1] == (Ask(),)


def test_a_coordinator_that_has_gone_ends_the_session() -> None:
    node, actions = on_broken(connected(), 5, "the coordinator has closed the connection", 50)
    assert kinds(actions) == [Close, End, Say]
    assert node.phase == "resting"


def test_a_node_that_is_refused_is_looked_at_again_and_told_once() -> None:
    node, _ = begin("127.0.0.2", 0)
    node, actions = on_facts(node, FACTS, "There are two.", 0)
    assert (node.phase, node.problem, kinds(actions)) == ("refused", "There are two.", [Say])
    node, actions = on_tick(node, 2_000)
    assert actions == (Ask(),)
    node, actions = on_facts(node, FACTS, "There are two.", 2_100)
    assert actions == ()
    node, _ = on_tick(node, 5_000)
    assert on_facts(node, FACTS, "", 5_100)[1] == (Open(name="big-box"),)


def test_a_node_whose_machine_has_come_back_is_let_go_for_good() -> None:
    node, actions = on_superseded(connected(), "It has come back.", 10)
    assert kinds(actions) == [Close, End, Say]
    for now_ms in (1_000, 100_000, 10_000_000):
        assert on_tick(node, now_ms) == (node, ())


def test_a_connection_that_is_late_by_a_phase_changes_nothing() -> None:
    node, _ = on_broken(connected(), 5, "x", 0)
    assert on_connected(node, 10) == (node, ())
    assert on_facts(node, FACTS, "", 10) == (node, ())
