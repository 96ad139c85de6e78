"""What an agent tells the bridge of its node, and what the bridge writes about all nodes for who asks it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from protocol.artefacts import read_json_as, write_json
from protocol.errors import SchemaError
from protocol.schema import to_plain

__all__ = [
    "BRIDGE_LOST",
    "AgentFacts",
    "BridgeReport",
    "NodeReport",
    "bridge_file",
    "read_bridge",
    "write_bridge",
]

BRIDGE_LOST: Final = 81
"""Exit code of the bridge whose connection to Ray is lost: only a new process gets another one."""


@dataclass(frozen=True, kw_only=True)
class AgentFacts:
    """What an agent says of its node."""

    node: str
    """The node's name."""
    place: str
    """The checkout and its state there: of two nodes with one name, those with one place are one machine."""
    session: int = 0
    """Number of its newest session; the next one's is higher."""
    carriage: int = 0
    """Number of the form in which it puts messages into calls."""
    python: str = ""
    """`3.11.7`."""
    ray: str = ""
    code: str = ""
    """Digest of its checkout's code (`envspecs.code`)."""


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """How the bridge stands with a node."""

    address: str
    """Its IP address, as Ray knows it."""
    name: str = ""
    """Empty: its agent has not answered yet."""
    state: Literal["asking", "connecting", "connected", "resting", "refused", "superseded"] = "asking"
    since: str = ""
    """An instant, as `protocol.clock.now_iso` writes it."""
    session: int = 0
    problem: str = ""
    """A sentence; what to do about it is part of it."""


@dataclass(frozen=True, kw_only=True)
class BridgeReport:
    """The document `cluster.json` in the head's runtime directory."""

    pid: int
    at: str
    """When it was written."""
    nodes: dict[str, NodeReport] = field(default_factory=dict)
    """By Ray's id of the node; those alone that Ray says are alive."""


def bridge_file(runtime: Path) -> Path:
    """Return the path of `cluster.json`."""
    return runtime / "cluster.json"


def write_bridge(runtime: Path, report: BridgeReport) -> None:
    """Write `cluster.json` whole."""
    write_json(bridge_file(runtime), to_plain(report))


def read_bridge(runtime: Path) -> BridgeReport | None:
    """Return what the last bridge wrote, dead or alive; None where there is nothing to read."""
    try:
        return read_json_as(BridgeReport, bridge_file(runtime))
    except (OSError, ValueError, SchemaError):
        return None
