"""Which nodes there are, which are new or gone, and who may take part: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cluster.carriage.parcels import CARRIAGE
from protocol.cluster.bridge import AgentFacts
from protocol.cluster.names import check_node_name
from protocol.errors import UsageError

__all__ = ["Changes", "Claim", "RayNode", "changes", "other_code", "why_refused"]


@dataclass(frozen=True, kw_only=True)
class RayNode:
    """A machine, as Ray knows it."""

    id: str
    address: str
    is_alive: bool
    is_head: bool


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What has changed in Ray's list of nodes."""

    new: tuple[RayNode, ...]
    gone: tuple[str, ...]


def changes(listed: Iterable[RayNode], followed: Iterable[str]) -> Changes:
    """Return which nodes are to be followed from now on, and which no longer.

    The head's own is never: its workers talk to the coordinator themselves.
    """
    alive = {node.id: node for node in listed if node.is_alive and not node.is_head}
    known = set(followed)
    return Changes(
        new=tuple(node for node in alive.values() if node.id not in known),
        gone=tuple(sorted(known - alive.keys())),
    )


@dataclass(frozen=True, kw_only=True)
class Claim:
    """Who has a name."""

    id: str
    address: str
    place: str


def why_refused(node: RayNode, facts: AgentFacts, head: AgentFacts, claims: Mapping[str, Claim]) -> str:
    """Return why the node cannot take part, as a sentence with what to do now; empty where it can.

    `claims`: by name, the nodes that take part. A machine that has come back before Ray knows that its
    earlier self is gone is no second one.
    """
    try:
        check_node_name(facts.node)
    except UsageError as error:
        return f"{error.message} {error.remedy}"
    claim = claims.get(facts.node)
    if claim is not None and not _is_same(claim, node, facts):
        return (
            f"There are two nodes called {facts.node}: that at {claim.address} takes part, that at "
            f"{node.address} does not. On one of them: cpw cluster leave, then join with another name."
        )
    if facts.carriage != CARRIAGE or facts.ray != head.ray or _minor(facts.python) != _minor(head.python):
        return (
            f"{facts.node} has Ray {facts.ray}, Python {facts.python}, carriage {facts.carriage}; the head "
            f"has Ray {head.ray}, Python {head.python}, carriage {CARRIAGE}. Bring both to one version of "
            f"the program, then on {facts.node}: cpw down && make up"
        )
    return ""


def other_code(facts: AgentFacts, head: AgentFacts) -> str:
    """Return a sentence where the node runs other code than the head; empty where it runs the same."""
    if not facts.code or not head.code or facts.code == head.code:
        return ""
    return f"{facts.node} runs other code than the head; there: git pull, then cpw down && make up"


def _is_same(claim: Claim, node: RayNode, facts: AgentFacts) -> bool:
    return claim.id == node.id or (claim.address, claim.place) == (node.address, facts.place)


def _minor(python: str) -> list[str]:
    return python.split(".")[:2]
