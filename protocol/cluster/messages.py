"""Messages between the head's coordinator and the relay of a node; those of its workers pass between them."""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.hardware import Hardware
from protocol.supervisor import ChildReport

__all__ = [
    "NODE_MESSAGES",
    "SHARE_ANSWER",
    "Door",
    "NodeAgain",
    "NodeBeat",
    "NodeCommand",
    "NodeHello",
    "NodeState",
    "NodeWelcome",
    "OfferModels",
    "Share",
    "WorkerGone",
]


SHARE_ANSWER = ".answer"
"""The head answers the check file of a share by one of this name after it, with the same content."""


@dataclass(frozen=True, kw_only=True)
class Share:
    """A folder that head and node both reach."""

    head: str
    """Its absolute path on the head."""
    here: str
    """Its absolute path on the node."""
    check: str = ""
    """Name of a file that the node has written there, and that the head is to find and to answer."""


@dataclass(frozen=True, kw_only=True)
class NodeHello:
    """First word of a node on every session; its workers connect after NodeWelcome."""

    node: str
    at: str
    """The node's clock, as `protocol.clock.now_iso` writes it."""
    python: str = ""
    code: str = ""
    """Digest of its checkout's code (`envspecs.code`)."""
    locks: dict[str, str] = field(default_factory=dict)
    """Of each environment that is built there: the digest of its requirements and lock."""
    hardware: Hardware | None = None
    cores: int = 1
    """How many all its running calls may keep busy."""
    ram_budget_bytes: int = 0
    """What all its workers together may take; 0: no limit."""
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Door:
    """The head's HTTP server, as nodes reach it; an empty `url`: they do not."""

    url: str = ""
    key: str = ""


@dataclass(frozen=True, kw_only=True)
class NodeWelcome:
    """The coordinator accepts the node; the header holds its run."""

    shares: tuple[str, ...] = ()
    """Of the shares those, by their path on the head, that are the same folder on both."""
    door: Door = field(default_factory=Door)


@dataclass(frozen=True, kw_only=True)
class NodeState:
    """How a node is: sent when something of it has changed."""

    children: dict[str, ChildReport] = field(default_factory=dict)
    """What its supervisor wrote; an exit holds the end of its stack, as the file lies on the node."""
    workers: tuple[str, ...] = ()
    """Its workers whose processes are alive, by their names on the node."""
    models: tuple[str, ...] = ()
    """Ids of the models in its store."""
    free_disk_bytes: int = 0
    locks: dict[str, str] = field(default_factory=dict)
    """As in NodeHello: an environment may be built or upgraded meanwhile."""
    problems: tuple[str, ...] = ()
    """Sentences about what keeps it from working: its disk is full, a film cannot be reached."""
    leaves: bool = False
    """Its supervisor is stopping, as a person wants it: it is not lost when it has gone."""


@dataclass(frozen=True, kw_only=True)
class NodeBeat:
    """The node is there, and nothing has changed."""


@dataclass(frozen=True, kw_only=True)
class WorkerGone:
    """A message could not be given to this worker: it has left, or only its connection has."""

    worker: str
    """Its name on the node."""


@dataclass(frozen=True, kw_only=True)
class NodeCommand:
    """For the node's supervisor."""

    line: str
    """As `protocol.supervisor.render_command` writes it."""


@dataclass(frozen=True, kw_only=True)
class NodeAgain:
    """The coordinator does not know this node, or took it for lost: it is to begin a new session."""


@dataclass(frozen=True, kw_only=True)
class OfferModels:
    """Steps wait for these models: the node is to fetch them from the head, where it has room."""

    models: tuple[str, ...]


NODE_MESSAGES: tuple[type, ...] = (
    NodeHello,
    NodeWelcome,
    NodeState,
    NodeBeat,
    WorkerGone,
    NodeCommand,
    NodeAgain,
    OfferModels,
)
"""All of them, for `protocol.messages.MESSAGES`."""
