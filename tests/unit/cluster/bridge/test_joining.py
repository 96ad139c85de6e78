"""Which nodes are followed, and who may take part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cluster.bridge.joining import Claim, RayNode, changes, other_code, why_refused
from cluster.carriage.parcels import CARRIAGE
from protocol.cluster.bridge import AgentFacts

HEAD = AgentFacts(node="head", place="", carriage=CARRIAGE, python="3.11.7", ray="2.60.0", code="abc")
FACTS = replace(HEAD, node="big-box", place="/home /state", python="3.11.9")
NODE = RayNode(id="b", address="192.168.1.5", is_alive=True, is_head=False)


def test_living_nodes_are_followed_but_for_the_heads_own() -> None:
    listed = [
        NODE,
        replace(NODE, id="h", is_head=True),
        replace(NODE, id="dead", is_alive=False),
        replace(NODE, id="known"),
    ]
    found = changes(listed, ["known", "dead", "forgotten"])
    assert found.new == (NODE,)
    assert found.gone == ("dead", "forgotten")


def test_a_node_of_the_same_versions_takes_part() -> None:
    assert why_refused(NODE, FACTS, HEAD, {}) == ""


def claim(**changed: str) -> dict[str, Claim]:
    given = {"id": "a", "address": "192.168.1.4", "place": "/home /state"} | changed
    return {"big-box": Claim(**given)}


def test_the_second_node_of_a_name_is_refused_with_what_to_do() -> None:
    problem = why_refused(NODE, FACTS, HEAD, claim())
    assert "192.168.1.4" in problem
    assert "192.168.1.5" in problem
    assert "cpw cluster leave" in problem
    assert why_refused(NODE, FACTS, HEAD, claim(address=NODE.address, place="/other /state"))


def test_a_machine_that_has_come_back_is_no_second_one() -> None:
    assert why_refused(NODE, FACTS, HEAD, claim(address=NODE.address)) == ""
    assert why_refused(NODE, FACTS, HEAD, claim(id="b")) == ""


@pytest.mark.parametrize("other", [{"ray": "2.59.0"}, {"python": "3.12.1"}, {"carriage": CARRIAGE + 1}])
def test_other_versions_are_refused_with_what_mends_it(other: dict[str, str]) -> None:
    problem = why_refused(NODE, replace(FACTS, **other), HEAD, {})
    assert str(next(iter(other.values()))) in problem
    assert "make up" in problem


def test_a_name_that_cannot_stand_in_a_workers_name_is_refused() -> None:
    assert "Big Box" in why_refused(NODE, replace(FACTS, node="Big Box"), HEAD, {})


def test_other_code_is_said_and_refused_by_nobody_here() -> None:
    assert why_refused(NODE, replace(FACTS, code="def"), HEAD, {}) == ""
    assert "big-box" in other_code(replace(FACTS, code="def"), HEAD)
    assert other_code(FACTS, HEAD) == ""
    assert other_code(replace(FACTS, code=""), HEAD) == ""
