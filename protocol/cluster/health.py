"""How a node is, as health shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from protocol.cluster.messages import Share
from protocol.errors import Problem
from protocol.hardware import Hardware

__all__ = ["NodeHealth", "NodeStanding"]

NodeStanding = Literal["present", "lost", "refused"]


@dataclass(frozen=True, kw_only=True)
class NodeHealth:
    """A machine beside the head's own; its workers stand among the environments.

    Of one that is lost or refused, nothing is known but that.
    """

    name: str
    standing: NodeStanding
    since: str = ""
    """When it said hello, or was taken for lost or refused, by the head's clock."""
    hardware: Hardware | None = None
    cores: int = 0
    """How many all its running calls may keep busy."""
    rss_bytes: int = 0
    """What its workers take together."""
    ram_budget_bytes: int = 0
    """What its workers may take together; 0: no limit."""
    free_disk_bytes: int | None = None
    """None: it has not said yet."""
    clock_ahead_ms: int = 0
    """How far its clock is ahead of the head's; every instant shown is the head's."""
    shares: tuple[Share, ...] = ()
    """Folders that were found to be the same on both."""
    fetches: bool = False
    """It fetches files from the head, and sends its own there."""
    models: tuple[str, ...] = ()
    """Ids of the models in its store."""
    problems: tuple[Problem, ...] = ()
