"""What the program may reach: public addresses alone, and no programs but those that it needs.

A page can lead anywhere: by a redirect, by the address of the film in it, by a list of pieces. So not the
address that a person wrote is checked but every one that a connection is made to, after its name was looked
up. Two walls: the look-up of names refuses early, with a sentence; an audit hook refuses every connection of
this process that came past it, and every program that could make connections of its own.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

__all__ = [
    "READ_ONLY",
    "Guard",
    "RefusedAddressError",
    "RefusedProgramError",
    "check_program",
    "is_public",
    "public_lookup",
]

_PROGRAMS = re.compile(r"(ffmpeg|ffprobe)(-[\w.]+)*|deno")
"""With what a package adds to the name: `ffmpeg-linux-x86_64-v7.0.2`.

ffmpeg joins picture and sound; deno runs a site's script in a sandbox without network and files."""
READ_ONLY = (
    *("-protocol_whitelist", "file,pipe"),
    *("-format_whitelist", "mov,matroska,mp3,aac,ogg,flac,wav,flv,avi,mpegts,ac3,eac3"),
)
"""The words before each input of ffmpeg: files of this machine, in containers that name no other files."""
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_CONNECTS = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
_OTHER_STARTS = frozenset({"os.system", "os.exec", "os.spawn", "os.fork", "os.forkpty", "pty.spawn"})

_OPENING = re.compile(r"://|movie=|^(concat|subfile|crypto|data|async|cache):|^-A$|^--allow")
"""What opens an address or a file: by a filter or a protocol of ffmpeg, by leave of deno."""

Lookup = Callable[..., list[Any]]


class RefusedAddressError(OSError):
    """An address that is not public."""


class RefusedProgramError(OSError):
    """A program that this one must not start."""


class Guard:
    """The walls around this process; `refused` has the hosts that were not public."""

    def __init__(self) -> None:
        self.refused: list[str] = []

    def put_up(self, *, allow_local: bool) -> None:
        """Put up the walls. They stay until the process ends: an audit hook cannot be taken away."""
        if not allow_local:
            socket.getaddrinfo = public_lookup(socket.getaddrinfo, self.refused)
        sys.addaudithook(lambda event, words: self.check(event, words, allow_local=allow_local))

    def check(self, event: str, words: Sequence[Any], *, allow_local: bool) -> None:
        """Raise `OSError` for an audit event that must not be."""
        if event in _CONNECTS and not allow_local:
            self._check_connection(words[1] if len(words) > 1 else None)
        elif event == "subprocess.Popen":
            check_program(words[0], words[1])
        elif event in _OTHER_STARTS:
            raise RefusedProgramError(f"{event} is not for this program.")

    def _check_connection(self, address: Any) -> None:
        # The names of hosts were looked up before: what comes here as a name came past the look-up.
        if not isinstance(address, tuple) or not is_public(str(address[0])):
            host = str(address[0] if isinstance(address, tuple) else address)
            self.refused.append(host)
            raise RefusedAddressError(f"{host} is not a public address.")


def is_public(written: str) -> bool:
    """Return whether the text is an IP address that anybody in the world reaches as the same host."""
    try:
        address = ipaddress.ip_address(written.partition("%")[0])
    except ValueError:
        return False
    return _is_public(address)


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        if (inner := _inner(address)) is not None:
            return _is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def _inner(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    """Return the address of IPv4 that a host or a gateway makes of it."""
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour


def public_lookup(real: Lookup, refused: list[str]) -> Lookup:
    """Return `socket.getaddrinfo` that refuses a name with an address that is not public.

    One is enough: a name that stands for the world and for this network at once is a trick.
    """

    def getaddrinfo(host: Any, *words: Any, **named: Any) -> list[Any]:
        found = real(host, *words, **named)
        if not all(is_public(str(entry[4][0])) for entry in found):
            name = host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)
            refused.append(name)
            raise RefusedAddressError(f"{name} is not a public address.")
        return found

    return getaddrinfo


def check_program(program: Any, words: Any) -> None:
    """Raise `RefusedProgramError` unless it is one of those that are needed, and opens no address."""
    name = Path(os.fsdecode(program)).name if program else ""
    if not _PROGRAMS.fullmatch(name) or isinstance(words, (str, bytes)):
        raise RefusedProgramError(f"The program {name or program!r} is not for this program to start.")
    inputs = [place for place, word in enumerate(words) if word == "-i"]
    if any(tuple(words[max(0, place - len(READ_ONLY)) : place]) != READ_ONLY for place in inputs):
        raise RefusedProgramError(f"{name} must not open whatever a file names.")
    if any(_OPENING.search(os.fsdecode(word)) for word in words):
        raise RefusedProgramError(f"{name} must not open an address.")
