"""What this machine is in a cluster, and what it could be: its addresses, ports and name."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from envspecs.cluster.ray import PORTS
from envspecs.cluster.settings import ClusterSettings, cluster_settings, join_address
from envspecs.layout import state_directory
from protocol.cluster.names import check_node_name
from protocol.errors import UsageError

__all__ = ["check_own_address", "cluster_here", "free_block", "own_name", "refuse_override"]

_FIRST_PORT, _LAST_PORT = 20_000, 30_000
_FIXED_PORTS = 7
"""Of a block those that Ray is told one by one; its workers find free ones in the rest."""
_LONGEST_NAME = 32


def cluster_here(home: Path | None = None) -> ClusterSettings:
    """Return what this machine is now; raises as `cluster_settings`."""
    return cluster_settings(state_directory(home), os.environ)


def refuse_override() -> None:
    """Raise `UsageError` where a variable would keep the role that is about to be written from counting."""
    if role := os.environ.get("CPW_CLUSTER"):
        message = f"CPW_CLUSTER is {role}, and would override what this command changes."
        raise UsageError(message, "Unset it, here and where cpw up is run.")


def own_name(wanted: str) -> str:
    """Return the name that was wished, else the host's in a node's form; `UsageError` where it is none."""
    if wanted:
        return check_node_name(wanted)
    host = socket.gethostname().partition(".")[0].lower()
    return check_node_name(re.sub(r"[^a-z0-9]+", "-", host).strip("-")[:_LONGEST_NAME] or "node")


def check_own_address(address: str, port: int = 0) -> None:
    """Raise `UsageError` unless this machine has the address, and the port is free on it."""
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(kind, socket.SOCK_STREAM) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind((address, port))
    except OSError as error:
        where = join_address(address, port) if port else address
        message = f"This machine cannot listen at {where}: {error.strerror or error}."
        remedy = "Give --address one of its own IP addresses, and --port a free one."
        raise UsageError(message, remedy) from error


def free_block(taken: int = 0) -> int:
    """Return the first port of a block that nobody here uses and that `taken` is not in."""
    for first in range(_FIRST_PORT, _LAST_PORT, PORTS):
        told = range(first, first + _FIXED_PORTS)
        if taken not in range(first, first + PORTS) and all(_is_free(port) for port in told):
            return first
    message = f"This machine has no {PORTS} free ports between {_FIRST_PORT} and {_LAST_PORT}."
    raise UsageError(message, "End what listens there: ss -tlnp")


def _is_free(port: int) -> bool:
    try:
        check_own_address("0.0.0.0", port)  # noqa: S104 (Ray listens on all of them)
    except UsageError:
        return False
    return True
