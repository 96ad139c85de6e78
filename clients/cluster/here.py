"""What this machine is in a cluster, and what it could be: its addresses, ports and name."""

from __future__ import annotations

import ipaddress
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
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104 (Ray listens there; it is only tried)


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
    """Raise `UsageError` unless this is an IP address of this machine's, and the port is free on all of them.

    One that stands for all of them (`0.0.0.0`) is none: other machines are told it.
    """
    remedy = "Give --address one of its own IP addresses, and --port a free one."
    if not _is_one_address(address):
        raise UsageError(f"{address!r} is not the IP address of a machine.", remedy)
    for bound in (address, _EVERY_ADDRESS) if port else (address,):
        try:
            _listen(bound, port)
        except OSError as error:
            where = join_address(bound, port) if port else bound
            message = f"This machine cannot listen at {where}: {error.strerror or error}."
            raise UsageError(message, remedy) from error


def _is_one_address(address: str) -> bool:
    try:
        return not ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _listen(address: str, port: int) -> None:
    """Listen for a moment; raises `OSError` where that is not possible."""
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(kind, socket.SOCK_STREAM) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        trial.bind((address, port))


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
        _listen(_EVERY_ADDRESS, port)
    except OSError:
        return False
    return True
