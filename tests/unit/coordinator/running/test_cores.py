"""How cores are shared out among the calls that run."""

from __future__ import annotations

import itertools

import pytest

from coordinator.running.cores import CoreShares, share_cores
from coordinator.running.roster import Member, Roster
from protocol.clock import now_iso
from protocol.messages import CallIdentity, Hello

LIMITS = (0, 1, 2, 5)


def test_every_core_is_given_and_none_twice_whatever_runs() -> None:
    for cores, count in itertools.product(range(1, 10), range(6)):
        for most in itertools.product(LIMITS, repeat=count):
            shares = share_cores(cores, most)
            wanted = sum(limit or cores for limit in most)
            case = f"{cores} cores, calls that gain from {most}: {shares}"
            assert len(shares) == count, case
            assert all(share >= 1 for share in shares), case
            assert all(share <= limit for share, limit in zip(shares, most, strict=True) if limit), case
            assert sum(shares) == max(count, min(cores, wanted)), case


def test_equal_calls_have_equal_parts_and_the_first_have_what_is_left_over() -> None:
    for cores, count in itertools.product(range(1, 20), range(1, 8)):
        shares = share_cores(cores, [0] * count)
        assert shares == sorted(shares, reverse=True)
        assert shares[0] - shares[-1] <= 1


@pytest.mark.parametrize(
    ("cores", "most", "shares"),
    [
        (8, [0], [8]),
        (8, [1], [1]),
        (8, [0, 0], [4, 4]),
        (8, [0, 0, 0], [3, 3, 2]),
        (8, [1, 0, 0], [1, 4, 3]),
        (16, [0, 4], [12, 4]),
        (2, [0, 1, 0], [1, 1, 1]),
        (1, [], []),
    ],
)
def test_what_one_call_does_not_gain_from_is_the_others(
    cores: int, most: list[int], shares: list[int]
) -> None:
    assert share_cores(cores, most) == shares


class Workers:
    """Workers of a roster that begin and end calls."""

    def __init__(self, *environments: str) -> None:
        self.roster = Roster()
        for environment in environments:
            self.join(environment)

    def join(self, environment: str, busy_with: CallIdentity | None = None) -> Member:
        hello = Hello(
            worker=environment,
            environment=environment,
            pid=1,
            pulse="p",
            state="busy" if busy_with else "ready",
            busy_with=busy_with,
        )
        return self.roster.admit(hello, 0.0, now_iso(), 300.0)

    def begin(self, environment: str, step: str) -> CallIdentity:
        identity = CallIdentity(job="j", step=step, attempt=1, run="1")
        self.roster.members[environment].take(identity)
        return identity

    def end(self, environment: str, identity: CallIdentity) -> None:
        self.roster.members[environment].release(identity)


def test_workers_are_told_when_their_number_changes_and_only_then() -> None:
    workers, shares = Workers("whisperx", "nllb", "common"), CoreShares(4)
    members = workers.roster.members.values()
    assert shares.look(members) == []
    asr = workers.begin("whisperx", "asr")
    assert shares.look(members) == [("whisperx", 4)]
    assert shares.look(members) == []
    translate = workers.begin("nllb", "translate-pt")
    assert shares.look(members) == [("whisperx", 2), ("nllb", 2)]
    workers.begin("common", "subtitle-source")
    assert shares.look(members) == [("nllb", 1), ("common", 1)]
    workers.end("whisperx", asr)
    assert shares.look(members) == [("nllb", 3)]
    workers.end("nllb", translate)
    workers.begin("whisperx", "align")
    assert shares.look(members) == [("whisperx", 3)]


def test_a_worker_that_says_hello_again_is_told_again() -> None:
    workers, shares = Workers("whisperx"), CoreShares(4)
    asr = workers.begin("whisperx", "asr")
    assert shares.look(workers.roster.members.values()) == [("whisperx", 4)]
    workers.join("whisperx", busy_with=asr)
    assert shares.look(workers.roster.members.values()) == [("whisperx", 4)]


def test_a_call_has_no_more_cores_than_its_environment_gains_from() -> None:
    workers, shares = Workers("bergamot", "whisperx"), CoreShares(32, {"bergamot": 8, "whisperx": 0})
    workers.begin("bergamot", "translate-pt")
    workers.begin("whisperx", "asr")
    assert shares.look(workers.roster.members.values()) == [("bergamot", 8), ("whisperx", 24)]


def test_a_stage_that_nobody_knows_any_more_is_one_like_the_others() -> None:
    workers, shares = Workers("whisperx"), CoreShares(4)
    workers.begin("whisperx", "paint")
    assert shares.look(workers.roster.members.values()) == [("whisperx", 4)]


def test_two_workers_of_one_environment_share_the_cores_and_a_lone_call_has_all() -> None:
    workers, shares = Workers("whisperx", "common"), CoreShares(5, {"whisperx": 4})
    second = workers.join("whisperx")
    second.name = "whisperx.2.4711.test"
    workers.join("whisperx")
    members = [*workers.roster.members.values(), second]
    first = workers.begin("whisperx", "asr")
    assert shares.look(members) == [("whisperx", 4)]
    second.take(CallIdentity(job="k", step="asr", attempt=1, run="1"))
    assert shares.look(members) == [("whisperx", 3), (second.name, 2)]
    workers.end("whisperx", first)
    assert shares.look(members) == [(second.name, 4)]
