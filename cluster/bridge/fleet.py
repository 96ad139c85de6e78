"""What the bridge needs of Ray: a seam, so that sessions are tested without it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeAlias

from cluster.bridge.joining import RayNode

__all__ = ["Answered", "Fleet", "FleetError"]

Answered: TypeAlias = Callable[[Any, str], None]
"""Called once, from any thread, with the answer and, where there is none, the reason."""


class FleetError(Exception):
    """Ray cannot be asked; the message says why."""


class Fleet(Protocol):
    """The nodes of a cluster, and their agents."""

    def nodes(self) -> Sequence[RayNode]:
        """Return the nodes that Ray knows, dead ones too; `FleetError` where it cannot be asked."""

    def ensure_agent(self, node: str) -> None:
        """Have an agent on the node, made where there is none; `FleetError` where it cannot be asked."""

    def forget_agent(self, node: str) -> None:
        """The node has gone: its agent is not to come back."""

    def call(self, node: str, method: str, arguments: tuple[Any, ...], answered: Answered) -> None:
        """Call a method of the node's agent, and return at once."""
