"""A flood of refusals is told in a few lines."""

from __future__ import annotations

import pytest

from coordinator.refusals import Refusals


def test_a_flood_is_told_in_a_few_lines_and_a_number(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for number in range(1_000):
        refusals.add(1.0, "message %d", number)
    refusals.sum_up(5.0)
    refusals.sum_up(11.0)

    assert len(caplog.messages) == 21
    assert caplog.messages[0] == "message 0"
    assert caplog.messages[-1] == "refused 980 more within 10 s"


def test_what_is_refused_after_a_while_is_said_again(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for number in range(30):
        refusals.add(1.0, "message %d", number)
    refusals.add(20.0, "another")

    assert caplog.messages[-1] == "another"
