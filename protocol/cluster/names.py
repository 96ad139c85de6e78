"""How nodes and their workers are called.

A node's name has no dot, slash or at sign: it stands in the names of its workers,
`whisperx.4711.1a2b3c@big-box`, and in the routing id of its connection, `node/big-box`.
"""

from __future__ import annotations

import re

from protocol.errors import UsageError

__all__ = [
    "NODE_PREFIX",
    "check_node_name",
    "local_id",
    "node_at",
    "node_id",
    "node_of",
    "route_of",
    "worker_of",
]

NODE_PREFIX = "node/"
_AT = "@"
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def check_node_name(name: str) -> str:
    """Return the name; `UsageError` where it cannot be a node's."""
    if not _NAME.fullmatch(name):
        message = f"A machine of a cluster cannot be called {name!r}."
        raise UsageError(message, "Name it by 1 to 32 small letters, digits and hyphens, such as big-box.")
    return name


def node_of(worker: str) -> str:
    """Return the node that the worker runs on; empty: the head's own machine."""
    return worker.partition(_AT)[2].partition("/")[0]


def worker_of(local: str, node: str) -> str:
    """Return the name of a node's worker, or of its pulse (`.../pulse`), as the head knows it."""
    worker, slash, rest = local.partition("/")
    return f"{worker}{_AT}{node}{slash}{rest}"


def local_id(worker: str) -> str:
    """Return the name of a worker, or of its pulse, as its own node knows it."""
    name, _, rest = worker.partition(_AT)
    return name + "".join(rest.partition("/")[1:])


def node_id(node: str) -> bytes:
    """Return the routing id of a node's connection."""
    return f"{NODE_PREFIX}{node}".encode()


def node_at(peer: bytes) -> str:
    """Return the node whose connection has this routing id; empty: it is a worker's."""
    text = peer.decode("ascii", "replace")
    return text.removeprefix(NODE_PREFIX) if text.startswith(NODE_PREFIX) else ""


def route_of(peer: bytes) -> bytes | None:
    """Return the routing id of the connection that leads to `peer`; None: it has one of its own."""
    node = node_of(peer.decode("ascii", "replace"))
    return node_id(node) if node else None
