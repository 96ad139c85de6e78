"""One worker replaced while the loop goes on: who is drained, who is killed, who is not blamed."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable
from typing import Any

import pytest

import envspecs
from coordinator.reload import may_go
from coordinator.running import reuse
from coordinator.running.roster import Member, Roster
from protocol.job_changes import ReloadEnvironment, Reloading
from protocol.messages import Drain, Hello, Refused, Result, State, WorkerState
from protocol.supervisor import ChildReport, Command, Kill, Proved, Reload
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called, demux_result

Write = Callable[..., None]


@pytest.fixture
def commands(lone: LoneCoordinator) -> Callable[[], list[Command]]:
    """Return a function that tells what the supervisor was asked so far."""
    said: list[Command] = []

    def so_far() -> list[Command]:
        said.extend(lone.supervisor_hears())
        return said

    return so_far


@pytest.fixture
def write(lone: LoneCoordinator) -> Write:
    """Return a function that is the supervisor's pen: `common` is in this state, its group is ours."""

    def children(state: str = "running", group: int | None = None, **more: object) -> None:
        lone.supervised(common={"state": state, "pid": group or os.getpgrp(), **more})

    children()
    return children


def hears_drain(lone: LoneCoordinator, worker: PlayedWorker) -> bool:
    for _ in range(60):
        lone.coordinator.turn(10)
        if worker.heard(Drain) is not None:
            return True
    return False


def finish(lone: LoneCoordinator, worker: PlayedWorker) -> None:
    """Do the call that the worker has been given."""
    identity = called(lone, worker)
    directory = next(lone.path.glob("job1"))
    result, audio = demux_result(directory, identity)
    worker.say(Result(result=result, artefacts=(audio,), duration_ms=1), identity)
    lone.until(lambda: lone.step(identity.job).state == "done")


def test_a_request_is_passed_to_the_supervisor_and_answered_with_what_runs(
    lone: LoneCoordinator, commands: Callable[[], list[Command]], write: Write
) -> None:
    worker = lone.worker()
    job = lone.add_job()
    called(lone, worker)
    (answer,) = lone.ask(ReloadEnvironment(environment="common"))
    assert answer == Reloading(
        environment="common", pid=os.getpid(), pids=(os.getpid(),), job=job, step="demux"
    )
    assert Reload(environment="common", now=False) in commands()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("nothing", "no environment 'nothing'"),
        ("coordinator", "no environment 'coordinator'"),
        ("dev", "has no worker"),
    ],
)
def test_what_has_no_worker_is_refused(
    lone: LoneCoordinator, commands: Callable[[], list[Command]], write: Write, name: str, sentence: str
) -> None:
    (answer,) = lone.ask(ReloadEnvironment(environment=name))
    assert isinstance(answer, Refused)
    assert sentence in answer.error.message
    assert commands() == []


def test_without_a_supervisor_it_is_refused(lone: LoneCoordinator) -> None:
    (answer,) = lone.ask(ReloadEnvironment(environment="common"))
    assert isinstance(answer, Refused)
    assert answer.error.remedy == "make up"


def test_an_environment_that_is_not_built_keeps_its_worker(
    lone: LoneCoordinator,
    commands: Callable[[], list[Command]],
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("envspecs.is_built", lambda _: False)
    (answer,) = lone.ask(ReloadEnvironment(environment="common"))
    assert isinstance(answer, Refused)
    assert answer.error.remedy == "cpw envs build common"
    assert commands() == []


def test_who_is_to_be_replaced_is_drained_once_and_given_nothing_more(
    lone: LoneCoordinator, write: Write
) -> None:
    worker = lone.worker()
    write("replacing")
    assert hears_drain(lone, worker)
    lone.add_job()
    assert not hears_drain(lone, worker)
    assert lone.step("job-1").state == "ready"


def test_the_worker_that_comes_in_its_place_is_not_taken_for_it(lone: LoneCoordinator, write: Write) -> None:
    write("replacing", group=1)
    worker = lone.worker()
    assert not hears_drain(lone, worker)
    lone.add_job()
    called(lone, worker)


def test_a_worker_that_loads_still_is_ended_at_once(
    lone: LoneCoordinator, commands: Callable[[], list[Command]], write: Write
) -> None:
    worker = lone.worker()
    worker.say(State(state="loading", rss_bytes=1))
    member = lone.members[worker.name]
    lone.until(lambda: member.state == "loading")
    write("replacing")
    assert not hears_drain(lone, worker)
    (command,) = commands()
    assert isinstance(command, Kill)
    assert (command.child, command.pid) == ("common", os.getpid())


def test_a_new_coordinator_goes_on_with_a_replacement(lone: LoneCoordinator, write: Write) -> None:
    write("replacing")
    lone.restart()
    assert hears_drain(lone, lone.worker())


@pytest.mark.parametrize("now", [True, False])
def test_a_film_whose_worker_dies_while_it_is_replaced_is_not_blamed(
    lone: LoneCoordinator, write: Write, now: bool
) -> None:
    worker = lone.worker(pid=2**22 + 7)  # nobody's: it is found dead
    job = lone.add_job()
    called(lone, worker)
    if now:
        lone.ask(ReloadEnvironment(environment="common", now=True))
    else:
        lone.members[worker.name].leaving = True
    lone.members[worker.name].met_s -= 10
    worker.leave()
    lone.until(lambda: lone.step(job).state == "ready")
    step = lone.step(job)
    assert (step.kills, step.failures, step.error) == (0, 0, None)


def test_the_first_result_of_a_worker_proves_its_build(
    lone: LoneCoordinator, commands: Callable[[], list[Command]], write: Write
) -> None:
    worker = lone.worker()
    lone.add_job()
    assert commands() == []
    finish(lone, worker)
    proofs = [command for command in commands() if isinstance(command, Proved)]
    assert proofs == [Proved(child="common", pid=os.getpid())]


def test_the_build_of_a_steps_key_is_that_of_the_worker_which_does_it(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    builds: list[str] = []
    real = reuse.step_key

    def step_key(stage: str, environment: str, build: str, *rest: Any) -> str:
        builds.append(build)
        return real(stage, environment, build, *rest)

    monkeypatch.setattr(reuse, "step_key", step_key)
    lone.worker()
    member = next(iter(lone.members.values()))
    member.build = "0123456789ab"
    lone.add_job(media=__file__)
    lone.until(lambda: builds)
    assert builds == ["0123456789ab"]


def test_what_a_spec_says_is_read_anew_when_a_worker_comes(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def key() -> str:
        return reuse.step_key("demux", "common", "b1", {}, "film")

    spec = envspecs.read("common")
    renamed = dataclasses.replace(spec.stages["demux"], name="another:Demux")
    before = key()
    another = dataclasses.replace(spec, stages={**spec.stages, "demux": renamed})
    monkeypatch.setattr("envspecs.read", lambda _: another)
    assert key() == before, "not read for each step"
    lone.worker()
    assert key() != before


# several workers


def member(number: int, state: WorkerState = "ready", *, leaving: bool = False) -> Member:
    name = "common" if number == 1 else f"common.{number}"
    hello = Hello(worker=f"{name}.7.test", environment="common", pid=7, pulse="p", state=state)
    made = Roster().admit(hello, 0.0, "", 1.0)
    made.leaving = leaving
    return made


@pytest.mark.parametrize(
    ("other", "goes"),
    [
        (member(2), True),
        (member(2, "busy"), True),
        (member(2, "loading"), False),
        (member(2, "importing"), False),
        (member(2, "draining"), False),
        (member(2, leaving=True), False),
        (None, False),
    ],
)
def test_a_worker_goes_when_all_others_of_its_environment_serve(other: Member | None, goes: bool) -> None:
    old = ChildReport(state="replacing")
    children = {"common": old, "common.2": ChildReport(state="running"), "whisperx": old, "coordinator": old}
    first = member(1)
    members = [first, *([other] if other else [])]
    assert may_go(first, children, members) == goes
    assert may_go(member(1, "loading"), children, members), "it has nothing to end"
    assert may_go(first, {"common": old}, members), "the others are none of the supervisor's any more"


def test_two_are_drained_one_after_the_other(lone: LoneCoordinator) -> None:
    ours = {"state": "replacing", "pid": os.getpgrp()}
    lone.supervised(**{"common": ours, "common.2": ours})
    first, second = lone.worker(), lone.worker(number=2)
    assert hears_drain(lone, first)
    assert not hears_drain(lone, second)
    lone.coordinator.roster.dismiss(first.name)
    assert not hears_drain(lone, second)
    # The first is replaced: its new process belongs to another group, and has its models to load.
    running = {"state": "running", "pid": 1}
    lone.supervised(**{"common": running, "common.2": running})
    new = lone.worker(pid=os.getpid())
    new.say(State(state="loading", rss_bytes=1))
    lone.until(lambda: lone.members[new.name].state == "loading")
    lone.supervised(**{"common": running, "common.2": ours})
    assert not hears_drain(lone, second)
    new.say(State(state="ready", rss_bytes=1))
    assert hears_drain(lone, second)


def test_a_request_names_every_worker(
    lone: LoneCoordinator, commands: Callable[[], list[Command]], write: Write
) -> None:
    for number in (1, 2):
        lone.worker(number=number)
    (answer,) = lone.ask(ReloadEnvironment(environment="common"))
    assert answer.pids == (os.getpid(), os.getpid())
    assert commands() == [Reload(environment="common", now=False)]
