"""Whether a cluster's answer lets a machine join, and the sentence that mends it where not."""

from __future__ import annotations

from dataclasses import replace

import pytest

from clients.cluster.joining import check_guarded, check_joinable, check_told
from protocol.cluster.probing import NodeSeen, ProbeAnswer, newest_nodes
from protocol.errors import NotRunningError, UsageError

HEAD = NodeSeen(name="alpha", address="10.0.0.1", alive=True, head=True, since_ms=1)
ANSWER = ProbeAnswer(head_ray="2.60.0", head_python="3.11.7", ray="2.60.0", python="3.11.9", nodes=(HEAD,))
AT = "10.0.0.1:6390"


def test_a_machine_with_the_same_versions_joins() -> None:
    check_told(ANSWER, AT)
    check_joinable(ANSWER, AT, "beta")


def test_a_wrong_token_is_told() -> None:
    with pytest.raises(UsageError, match="does not take this token") as refused:
        check_told(ProbeAnswer(problem="refused"), AT)
    assert "cpw cluster status" in refused.value.remedy


def test_somebody_else_at_the_address_is_told() -> None:
    with pytest.raises(
        NotRunningError, match="does not answer as the head of a cluster: no answer within 6 s"
    ):
        check_told(ProbeAnswer(problem="silent", details="no answer within 6 s"), AT)


def test_a_head_that_asks_for_no_token_is_refused() -> None:
    check_guarded(ProbeAnswer(problem="refused"), AT)
    check_guarded(ProbeAnswer(problem="silent"), AT)
    with pytest.raises(UsageError, match="asks for no token"):
        check_guarded(ANSWER, AT)


def test_another_minor_version_of_python_is_refused_with_the_command() -> None:
    with pytest.raises(UsageError, match=r"Python 3\.12, this machine with Python 3\.11") as refused:
        check_joinable(replace(ANSWER, head_python="3.12.1"), AT, "beta")
    assert "python3.12 -m envspecs build --again cluster" in refused.value.remedy


@pytest.mark.parametrize(("theirs", "older"), [("2.59.9", "On the head"), ("2.60.10", "On this machine")])
def test_another_version_of_ray_is_refused_and_the_older_side_is_named(theirs: str, older: str) -> None:
    with pytest.raises(UsageError, match=f"Ray {theirs}, this machine 2.60.0") as refused:
        check_joinable(replace(ANSWER, head_ray=theirs), AT, "beta")
    assert refused.value.remedy.startswith(older)


def test_a_name_that_is_alive_already_is_refused_and_one_that_is_gone_is_free() -> None:
    beta = NodeSeen(name="beta", address="10.0.0.2", alive=True, since_ms=5)
    with pytest.raises(UsageError, match=r"beta already, at 10\.0\.0\.2"):
        check_joinable(replace(ANSWER, nodes=(HEAD, beta)), AT, "beta")
    check_joinable(replace(ANSWER, nodes=(HEAD, replace(beta, alive=False))), AT, "beta")


def test_of_a_machine_that_came_back_only_its_newest_life_is_shown() -> None:
    gone = NodeSeen(name="beta", address="10.0.0.2", alive=False, since_ms=5, gone_ms=9)
    again, other = replace(gone, alive=True, since_ms=7), replace(gone, name="a", since_ms=3)
    assert newest_nodes((gone, again, HEAD, other)) == (HEAD, other, again)
    assert newest_nodes((replace(gone, since_ms=2), gone)) == (gone,)
