"""A client reads a log of a node: through the coordinator, which goes on meanwhile."""

from __future__ import annotations

import pytest

from coordinator.nodes.logs import NodeLogs
from coordinator.nodes.nodes import Nodes
from protocol.clock import now_iso
from protocol.cluster.logs import LogQuery, LogReport
from protocol.cluster.messages import NodeHello
from protocol.errors import ErrorKind, TransientError
from protocol.frames import Header
from protocol.messages import Refused
from tests.lone_coordinator import LoneCoordinator
from tests.played_node import PlayedNode


def wrote(node: PlayedNode, name: str, text: str) -> None:
    folder = node.runtime / "logs"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.log").write_text(text)


def test_a_node_s_log_is_read_and_what_is_added_after_it(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as node:
        wrote(node, "supervisor", "up\n")
        wrote(node, "whisperx", "one\ntwo\n")
        supervisor, worker = lone.ask(LogQuery(node="box"), LogQuery(node="box", log="whisperx"))
        wrote(node, "whisperx", "one\ntwo\nthree\n")
        (added,) = lone.ask(LogQuery(node="box", log="whisperx", after=worker.end))
    assert (supervisor.text, supervisor.logs) == ("up\n", ("supervisor", "whisperx"))
    assert (worker.text, added.text) == ("one\ntwo\n", "three\n")


def test_a_node_that_is_not_known_is_refused_with_those_that_are(lone: LoneCoordinator) -> None:
    with PlayedNode(lone):
        (refused,) = lone.ask(LogQuery(node="bax"))
    assert (refused.error.kind, "Nodes: box." in refused.error.remedy) == (ErrorKind.USAGE, True)


def test_a_lost_node_s_log_is_refused_at_once(lone: LoneCoordinator) -> None:
    with PlayedNode(lone) as node:
        node.worker()
        node.cut()
        lone.until(lambda: "box" in lone.coordinator.nodes.lost)
        (refused,) = lone.ask(LogQuery(node="box"))
    assert refused.error.kind is ErrorKind.TRANSIENT


class Clients:
    """What was said to clients and to nodes."""

    def __init__(self) -> None:
        self.nodes = Nodes()
        self.nodes.admit(NodeHello(node="box", at=now_iso()), 0.0, now_iso(), shares=(), fetches=False)
        self.sent: list[tuple[str, str]] = []
        self.answers: list[tuple[bytes, str, object]] = []
        self.is_there = True
        self.logs = NodeLogs(self.nodes, self.send, self.answer)

    def send(self, node: str, message: object, number: str) -> bool:
        self.sent.append((node, number))
        return self.is_there

    def answer(self, peer: bytes, header: Header, message: object) -> None:
        self.answers.append((peer, header.request, message))


def test_each_client_gets_the_answer_to_its_own_question() -> None:
    clients = Clients()
    for peer in (b"first", b"second"):
        clients.logs.ask(peer, Header(request="r"), LogQuery(node="box"), 0.0)
    (_, one), (_, two) = clients.sent
    clients.logs.hear("box", Header(request=two), LogReport(text="2"))
    clients.logs.hear("another", Header(request=one), LogReport(text="not its own"))
    clients.logs.hear("box", Header(request=one), LogReport(text="1"))
    clients.logs.hear("box", Header(request=one), LogReport(text="again"))
    assert clients.answers == [(b"second", "r", LogReport(text="2")), (b"first", "r", LogReport(text="1"))]


@pytest.mark.parametrize("goes", [True, False])
def test_a_node_that_does_not_answer_or_goes_is_given_up_within_five_seconds(goes: bool) -> None:
    clients = Clients()
    clients.logs.ask(b"c", Header(request="r"), LogQuery(node="box"), 10.0)
    clients.logs.look(13.9)
    assert clients.answers == []
    if goes:
        clients.nodes.lose("box", now_iso())
    clients.logs.look(13.9 if goes else 14.1)
    ((peer, request, refused),) = clients.answers
    assert (peer, request) == (b"c", "r")
    assert isinstance(refused, Refused)
    assert refused.error.message == "The node box does not answer."
    clients.logs.hear("box", Header(request=clients.sent[0][1]), LogReport(text="too late"))
    assert len(clients.answers) == 1


def test_a_node_whose_connection_has_gone_is_refused_at_once() -> None:
    clients = Clients()
    clients.is_there = False
    with pytest.raises(TransientError):
        clients.logs.ask(b"c", Header(request="r"), LogQuery(node="box"), 0.0)
    clients.logs.look(100.0)
    assert clients.answers == []
