"""Whether a web address is this machine's."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

__all__ = ["host_of", "is_this_machine"]


def host_of(address: str) -> str:
    """Return the host that the address names, with its port where it has one; empty where it names none."""
    try:
        return urlsplit(address).netloc.rpartition("@")[2]
    except ValueError:
        return ""


def is_this_machine(address: str) -> bool:
    """Return whether what is sent to the address stays on this machine: its host is the loopback's."""
    try:
        host = urlsplit(address).hostname or ""
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        name = host_of(address).partition(":")[0].casefold()
        return name == "localhost" or name.endswith(".localhost")
