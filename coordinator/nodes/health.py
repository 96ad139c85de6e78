"""How the nodes are, as health shows it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from coordinator.nodes.nodes import Node, Nodes
from coordinator.nodes.placing import LEAST_FREE_BYTES
from protocol.cluster.health import NodeHealth
from protocol.errors import Problem
from protocol.wording import size

__all__ = ["at_node", "nodes_health"]

_LOGS = "cpw logs "


def at_node(node: str, remedy: str) -> str:
    """Return a remedy with where it is to be done, nothing for none; a node's logs are read here."""
    if remedy.startswith(_LOGS):
        return f"{_LOGS}{node}:{remedy.removeprefix(_LOGS)}"
    return f"On {node}: {remedy}" if remedy else ""


def nodes_health(nodes: Nodes, rss_bytes: Mapping[str, int], now_s: float) -> tuple[NodeHealth, ...]:
    """Return how each node is, by name; `rss_bytes` is what the workers of each take together."""
    found = [_present(node, rss_bytes.get(node.name, 0)) for node in nodes.present.values()]
    found += [_lost(name, at) for name, at in nodes.lost.items()]
    for name, refusal in nodes.newly_refused(now_s).items():
        problem = Problem(sentence=refusal.reason.message, remedy=refusal.reason.remedy)
        found.append(NodeHealth(name=name, standing="refused", since=refusal.at, problems=(problem,)))
    return tuple(sorted(found, key=lambda node: node.name))


def _lost(name: str, at: str) -> NodeHealth:
    problem = Problem(
        sentence="It is lost: nothing has been heard of it, and its steps are given to others.",
        remedy=f"{at_node(name, 'cpw up')}. If it is gone for good, cpw down && make up here forgets it.",
    )
    return NodeHealth(name=name, standing="lost", since=at, problems=(problem,))


def _present(node: Node, rss_bytes: int) -> NodeHealth:
    return NodeHealth(
        name=node.name,
        standing="present",
        since=node.met_at,
        hardware=node.hardware,
        cores=node.cores,
        rss_bytes=rss_bytes,
        ram_budget_bytes=node.ram_budget_bytes,
        free_disk_bytes=node.free_disk_bytes,
        clock_ahead_ms=node.clock_ahead_ms,
        shares=node.shares,
        fetches=node.fetches,
        models=tuple(sorted(node.models)),
        problems=_problems(node),
    )


def _problems(node: Node) -> tuple[Problem, ...]:
    """Return what the node says is wrong, and what follows from what it has."""
    said = [Problem(sentence=sentence, remedy=f"cpw logs {node.name}") for sentence in node.problems]
    if node.fetches and node.free_disk_bytes is not None and node.free_disk_bytes < LEAST_FREE_BYTES:
        sentence = (
            f"It has {size(node.free_disk_bytes) or 'no room'} left on its disk, and fetches no files below "
            f"{size(LEAST_FREE_BYTES)}."
        )
        said.append(Problem(sentence=sentence, remedy=at_node(node.name, "make room")))
    if not node.fetches and not node.shares:
        sentence = "It shares no folder with the head and cannot fetch files from it, so it gets no steps."
        remedy = f"Start the head with its HTTP server, or let {node.name} share its folders."
        said.append(Problem(sentence=sentence, remedy=remedy))
    return tuple(said)
