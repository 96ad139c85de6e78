"""How long the coordinator waits for nodes and their workers, and whom it does not blame meanwhile."""

from __future__ import annotations

import time
from typing import Any

import pytest

from coordinator.nodes.nodes import UNHEARD_AFTER_S
from coordinator.running.roster import SILENT_AFTER_S
from protocol.cluster.messages import NodeCommand
from protocol.frames import Header
from tests.lone_coordinator import LoneCoordinator, PlayedWorker
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
