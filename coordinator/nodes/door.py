"""Where nodes fetch files: the address of this machine's HTTP server as they reach it."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

from envspecs.cluster.door_key import make_door_key
from envspecs.cluster.settings import cluster_settings, is_loopback, join_address
from protocol.cluster.messages import Door
from protocol.endpoints import http_address_file
from protocol.errors import UsageError

__all__ = ["door_here"]

_EVERY_ADDRESS = frozenset({"0.0.0.0", "::"})  # noqa: S104 (compared, not bound)


def door_here(runtime: Path, state: Path) -> Door:
    """Return the door and its key; empty where this machine is no head, or nodes do not reach its server.

    A server that listens on this machine alone serves nodes on this machine alone.
    """
    try:
        settings = cluster_settings(state, os.environ)
        written = http_address_file(runtime).read_text().strip()
    except (UsageError, OSError):
        return Door()
    parts = urlsplit(written)
    host, port = parts.hostname or "", parts.port or 0
    if settings.role != "head" or not port:
        return Door()
    if is_loopback(host) and not is_loopback(settings.address):
        return Door()
    if host in _EVERY_ADDRESS:
        host = settings.address
    return Door(url=f"{parts.scheme}://{join_address(host, port)}", key=make_door_key(state))
