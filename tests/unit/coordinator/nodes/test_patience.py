"""How long the coordinator waits for nodes and their workers, and whom it does not blame meanwhile."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import pytest

from coordinator.nodes.nodes import NODE_SILENT_AFTER_S, UNHEARD_AFTER_S
from coordinator.running.roster import SILENT_AFTER_S
from coordinator.watching import EXIT_RECORDED_WITHIN_S, GRACE_S, NODE_GRACE_S
from protocol.cluster.messages import NodeCommand
from protocol.endpoints import worker_endpoint
from protocol.frames import Header
from tests.house import until
from tests.lone_coordinator import LoneCoordinator, PlayedWorker, called
from tests.played_node import PlayedNode


def look_in(lone: LoneCoordinator, seconds: float) -> None:
    """Have the coordinator look after everything as if so much time had passed."""
    lone.coordinator.watch.look(time.monotonic() + seconds, draining=False)


def commands(node: PlayedNode, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Return a list to which every command for the node's supervisor is added."""
    heard: list[object] = []
    link = node.lone.coordinator.link
    send = link.send

    def note(side: str, peer: bytes, header: Header, message: Any, version: bytes | None = None) -> None:
        heard.extend([message] if isinstance(message, NodeCommand) else [])
        send(side, peer, header, message, version)

    monkeypatch.setattr(link, "send", note)
    return heard


def fall_silent(lone: LoneCoordinator, worker: PlayedWorker) -> None:
    """Have the worker's last echo be so old that it counts as silent."""
    lone.members[f"{worker.name}@box"].echoed_s = time.monotonic() - SILENT_AFTER_S - 1


def test_a_worker_that_is_silent_on_a_node_that_speaks_is_killed(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PlayedNode(lone) as node:
        worker = node.worker()
        heard = commands(node, monkeypatch)
        fall_silent(lone, worker)
        look_in(lone, 0)
        assert len(heard) == 1


def test_no_worker_is_killed_for_the_silence_of_its_node(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with PlayedNode(lone) as node:
        worker = node.worker()
        heard = commands(node, monkeypatch)
        lone.coordinator.nodes.present["box"].heard_s -= UNHEARD_AFTER_S + 1
        fall_silent(lone, worker)
        look_in(lone, 0)
        assert heard == []
        # It speaks again: its worker has all the time to echo.
        lone.coordinator.nodes.present["box"].heard_s = time.monotonic()
        look_in(lone, 0)
        assert heard == []


def restarted_with_a_call_away(lone: LoneCoordinator) -> tuple[str, PlayedNode, PlayedWorker]:
    """Return a job whose step a node's worker has; the coordinator is a new one, and the node cut off."""
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    node = PlayedNode(lone)
    node.__enter__()
    worker = node.worker()
    identity = called(lone, worker)
    node.cut()
    lone.restart()
    worker.hello = dataclasses.replace(worker.hello, state="busy", busy_with=identity)
    return job, node, worker


def test_the_steps_of_a_node_wait_longer_for_it_than_those_of_the_head_for_their_workers(
    lone: LoneCoordinator,
) -> None:
    job, node, worker = restarted_with_a_call_away(lone)
    try:
        look_in(lone, GRACE_S + 1)
        assert lone.step(job).state == "running"
        node.connect()
        lone.until(lambda: "box" in lone.coordinator.nodes.present)
        worker.say(worker.hello)
        lone.until(lambda: f"{worker.name}@box" in lone.members)
        assert (lone.step(job).state, lone.step(job).attempt) == ("running", 1)
    finally:
        node.__exit__()


def test_a_node_that_does_not_come_back_loses_its_steps(lone: LoneCoordinator) -> None:
    job, node, _ = restarted_with_a_call_away(lone)
    try:
        look_in(lone, NODE_GRACE_S + 1)
        step = lone.step(job)
        assert (step.state, step.kills, step.failures) == ("ready", 0, 0)
    finally:
        node.__exit__()


def test_a_node_that_comes_back_without_the_worker_loses_its_step(lone: LoneCoordinator) -> None:
    job, node, _ = restarted_with_a_call_away(lone)
    try:
        node.connect()
        lone.until(lambda: "box" in lone.coordinator.nodes.present)
        assert lone.step(job).state == "running"
        lone.coordinator.nodes.present["box"].met_s -= GRACE_S + 1
        look_in(lone, 0)
        assert lone.step(job).state == "ready"
    finally:
        node.__exit__()


def test_a_worker_that_is_there_again_after_a_new_session_is_not_mourned(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("coordinator.watching.ECHO_CONNECTS_WITHIN_S", 0.0)
    with PlayedNode(lone) as node:
        worker, endpoint = node.worker(), worker_endpoint(node.runtime)
        for socket in (worker.socket, worker.pulse):
            socket.disconnect(endpoint)
        # The agent was restarted while its worker waited for a call: nobody has missed it.
        before = lone.coordinator.nodes.present["box"]
        node.relay.begin_session()
        lone.until(lambda: lone.coordinator.nodes.present.get("box") not in (None, before))
        over_s = time.monotonic() + 0.6
        lone.until(lambda: time.monotonic() > over_s)
        for socket in (worker.socket, worker.pulse):
            socket.connect(endpoint)
        job = lone.add_job(media=str(lone.path / "film.mkv"))
        worker.say(worker.hello)
        called(lone, worker)
        look_in(lone, EXIT_RECORDED_WITHIN_S + 1)
        step = lone.step(job)
        assert (step.state, step.kills) == ("running", 0)


def test_a_node_that_is_cut_off_for_a_moment_goes_on_with_its_step(lone: LoneCoordinator) -> None:
    job = lone.add_job(media=str(lone.path / "film.mkv"))
    with PlayedNode(lone) as node:
        worker = node.worker()
        identity = called(lone, worker)
        node.cut()
        lone.until(lambda: "box" not in lone.coordinator.nodes.present)
        look_in(lone, NODE_SILENT_AFTER_S - 3)
        assert lone.step(job).state == "running"
        node.connect()
        lone.until(lambda: "box" in lone.coordinator.nodes.present)
        worker.hello = dataclasses.replace(worker.hello, state="busy", busy_with=identity)
        worker.say(worker.hello)
        lone.until(lambda: f"{worker.name}@box" in lone.members)
        look_in(lone, GRACE_S + 1)
        assert (lone.step(job).state, lone.step(job).attempt) == ("running", 1)


class CountingNode(PlayedNode):
    """Counts how often it says hello."""

    hellos = 0

    def send(self, frames: list[bytes]) -> None:
        self.hellos += b"NodeHello" in frames
        super().send(frames)


def test_a_node_whose_hello_is_answered_late_keeps_its_share(
    lone: LoneCoordinator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cluster.relay.relay.HELLO_AGAIN_S", 0.1)
    node = CountingNode(lone)
    node.relay.start()
    try:
        node.connect()
        # A head that has much to do reads the first hello when the node has said it several times.
        until(lambda: node.hellos >= 3, 10, "it says hello again")
        over_s = time.monotonic() + 0.5
        lone.until(lambda: time.monotonic() > over_s)
        found = lone.coordinator.nodes.present["box"]
        assert [share.head for share in found.shares] == [str(lone.path)]
        assert found.problems == ()
        assert len(node.doors) == 1
        assert not list(lone.path.glob(".cpw-check-*"))
    finally:
        node.__exit__()
