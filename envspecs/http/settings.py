"""What a person sets for the HTTP server: its address, other names for it, and the folders it may read."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from envspecs.http.hooks import HookSettings, hook_settings
from protocol.errors import UsageError

__all__ = ["HOSTS", "HTTP", "MAP", "MEDIA", "HttpSettings", "http_settings"]

HTTP: Final = "CPW_HTTP"
HOSTS: Final = "CPW_HTTP_HOSTS"
MEDIA: Final = "CPW_MEDIA"
MAP: Final = "CPW_MEDIA_MAP"
_OFF = "off"
_HOST, _PORT = "127.0.0.1", 8765
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, kw_only=True)
class HttpSettings:
    """Where the server listens and what it lets in."""

    host: str = _HOST
    port: int = _PORT
    """0: any that is free."""
    is_chosen: bool = False
    """A person named the port: another one is not taken in its place."""
    hosts: tuple[str, ...] = ()
    """Names, beside those of this machine itself, by which browsers may ask for it."""
    media: tuple[Path, ...] = ()
    """Folders whose films may be named by programs; resolved."""
    hooks: HookSettings = field(default_factory=HookSettings)
    places: tuple[tuple[str, str], ...] = ()
    """What a folder is called elsewhere, and what here: `("/tv", "/mnt/nas/tv")`; the longest first."""

    @property
    def is_loopback(self) -> bool:
        """Return whether nobody else's machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def http_settings(environ: Mapping[str, str]) -> HttpSettings | None:
    """Return what the variables say, None where there is to be no server.

    Raises `UsageError` for a value that is wrong, and for an address that others reach where no name is given
    by which they may ask for it.
    """
    written = environ.get(HTTP, "").strip()
    if written.casefold() == _OFF:
        return None
    host, port = _address(written) if written else (_HOST, _PORT)
    settings = HttpSettings(
        host=host,
        port=port,
        is_chosen=bool(written),
        hosts=tuple(part.strip().casefold() for part in environ.get(HOSTS, "").split(",") if part.strip()),
        media=tuple(_folder(part) for part in environ.get(MEDIA, "").split(os.pathsep) if part),
        hooks=hook_settings(environ),
        places=_places(environ.get(MAP, "")),
    )
    if not settings.is_loopback and not settings.hosts:
        message = f"{HTTP}={written}: other machines can reach that address, and no name is allowed for it."
        raise UsageError(message, f"Say by what name they ask for it: {HOSTS}=mynas.local,192.168.1.5")
    return settings


def _address(written: str) -> tuple[str, int]:
    host, colon, port = written.rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdecimal() or int(port) > _HIGHEST_PORT:
        message = f"{HTTP}={written!r} is not an address."
        raise UsageError(message, f"Write {HTTP}={_HOST}:{_PORT}, or {HTTP}={_OFF}.")
    return host.removeprefix("[").removesuffix("]"), int(port)


def _folder(written: str) -> Path:
    folder = Path(written)
    if not folder.is_absolute() or not folder.is_dir():
        message = f"{MEDIA}: {written!r} is not a folder with its whole path."
        raise UsageError(message, f"Write for example {MEDIA}=/srv/films{os.pathsep}/srv/series")
    return folder.resolve()


def _places(written: str) -> tuple[tuple[str, str], ...]:
    found = []
    for part in (part.strip() for part in written.split(",") if part.strip()):
        there, equals, here = part.partition("=")
        if not equals or (not there.startswith(("/", "\\")) and ":" not in there) or not here.startswith("/"):
            message = f"{MAP}: {part!r} does not say what a folder is called there and here."
            raise UsageError(message, f"Write for example {MAP}=/tv=/mnt/nas/tv")
        found.append((there.rstrip("/\\"), here.rstrip("/")))
    return tuple(sorted(found, key=lambda pair: -len(pair[0])))
