"""Telling the service manager how we are: the datagrams that systemd asks for by `NOTIFY_SOCKET`."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Mapping

__all__ = ["LABEL", "READY", "STOPPING", "WATCHDOG", "has_manager", "tell_manager"]

log = logging.getLogger("supervisor")

LABEL = "local.cpw"
"""What launchd calls us."""
READY = "READY=1"
STOPPING = "STOPPING=1"
WATCHDOG = "WATCHDOG=1"


def has_manager(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether a service manager started this process: systemd or launchd."""
    variables = os.environ if environ is None else environ
    return "NOTIFY_SOCKET" in variables or variables.get("XPC_SERVICE_NAME") == LABEL


def tell_manager(word: str, environ: Mapping[str, str] | None = None) -> None:
    """Tell the manager that started us; nothing happens where none did, or where it cannot be reached."""
    address = (os.environ if environ is None else environ).get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return
    if address.startswith("@"):
        address = "\0" + address[1:]  # a name that is in no folder
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as manager:
            manager.sendto(word.encode(), address)
    except OSError as error:
        log.warning("the service manager cannot be told %s: %s", word, error)
