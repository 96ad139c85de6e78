"""Whether this machine belongs to a cluster, and as what: `<state>/cluster/settings.json`, and two variables.

`cpw cluster start|join` write the file, `leave` and `stop` remove it. `CPW_CLUSTER` overrides its role.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from envspecs.layout import CLUSTER
from protocol.artefacts import read_json_as, write_json
from protocol.cluster.messages import Share
from protocol.errors import SchemaError, UsageError
from protocol.schema import to_plain

__all__ = [
    "DEFAULT_PORT",
    "ClusterSettings",
    "Role",
    "closed_folder",
    "cluster_directory",
    "cluster_settings",
    "forget_settings",
    "is_loopback",
    "join_address",
    "parse_address",
    "parse_shares",
    "write_settings",
]

Role = Literal["off", "head", "node"]
_ROLES: tuple[Role, ...] = ("off", "head", "node")
DEFAULT_PORT = 6390
"""Of Ray's GCS on the head. Ray's own default is that of Redis, which many machines have."""
_FIRST_PORT = 20_000
_ROLE = "CPW_CLUSTER"
_SHARES = "CPW_SHARES"
_FILE = "settings.json"


@dataclass(frozen=True, kw_only=True)
class ClusterSettings:
    """What this machine is in a cluster; with the role `off` the rest is empty."""

    role: Role = "off"
    head: str = ""
    """Where the head's Ray is asked, its GCS: `192.168.1.10:6390`."""
    address: str = ""
    """This machine's IP address, as the other machines reach it."""
    name: str = ""
    """This machine's name in the cluster."""
    first_port: int = _FIRST_PORT
    """Ray uses a hundred ports of this machine from this one on."""
    shares: tuple[Share, ...] = ()
    """Folders that the head and this node both reach."""
    leaves_within_s: float = 0.0
    """This node leaves: so long its calls may take to end; 0: it does not leave."""


def cluster_directory(state: Path) -> Path:
    """Return the folder of settings and token below the state folder; it may not exist."""
    return state / CLUSTER


def cluster_settings(state: Path, environ: Mapping[str, str]) -> ClusterSettings:
    """Return what this machine is now, by the file and the variables.

    Raises `UsageError` where a variable has another form, or asks for a role that nobody prepared here.
    """
    written = _read(state)
    role = _role(environ) or written.role
    if role == "off":
        return ClusterSettings()
    if written.role != role:
        command = "cpw cluster start" if role == "head" else "cpw cluster join ADDRESS --token-file FILE"
        message = f"{_ROLE} is {role}, and this machine was not made one: {cluster_directory(state) / _FILE}."
        raise UsageError(message, f"Unset it, then: {command}")
    shares = environ.get(_SHARES, "")
    return replace(written, shares=parse_shares(shares)) if shares else written


@contextlib.contextmanager
def closed_folder(state: Path) -> Iterator[Path]:
    """Make the folder, its user's alone; whatever is written meanwhile is so from its first byte on."""
    folder = cluster_directory(state)
    umask = os.umask(0o077)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        yield folder
    finally:
        os.umask(umask)


def write_settings(state: Path, settings: ClusterSettings) -> None:
    """Keep the settings; the folder is the user's alone."""
    with closed_folder(state) as folder:
        write_json(folder / _FILE, to_plain(settings))


def forget_settings(state: Path) -> None:
    """Take the role away: this machine belongs to no cluster."""
    (cluster_directory(state) / _FILE).unlink(missing_ok=True)


def _read(state: Path) -> ClusterSettings:
    file = cluster_directory(state) / _FILE
    try:
        return read_json_as(ClusterSettings, file)
    except FileNotFoundError:
        return ClusterSettings()
    except (OSError, ValueError, SchemaError) as error:
        message = f"{file} cannot be read: {error}"
        raise UsageError(message, "Remove the file, then start or join the cluster again.") from error


def _role(environ: Mapping[str, str]) -> Role | None:
    text = environ.get(_ROLE, "")
    if not text:
        return None
    for role in _ROLES:
        if text == role:
            return role
    raise UsageError(f"{_ROLE} is {text!r}.", f"It is one of {', '.join(_ROLES)}; or unset it.")


def parse_shares(text: str) -> tuple[Share, ...]:
    """Return the folders of `/mnt/nas=/Volumes/nas,/films=/films`: the head's path, then this node's.

    Raises `UsageError` where a path is not absolute, or two of the head's lie in each other.
    """
    found = [_share(part.strip()) for part in text.split(",") if part.strip()]
    for share in found:
        inside = [other for other in found if other is not share and _lies_in(other.head, share.head)]
        if inside:
            message = f"{_SHARES} has {inside[0].head}, which lies in {share.head}."
            raise UsageError(message, "Name each folder once.")
    return tuple(found)


def _share(part: str) -> Share:
    head, separator, here = part.partition("=")
    for path in (head, here):
        if not separator or not Path(path).is_absolute() or ".." in Path(path).parts:
            message = f"{_SHARES} has {part!r}, which is not two absolute paths."
            raise UsageError(message, f"Write the head's path, then this machine's: {_SHARES}=/mnt/nas=/nas")
    return Share(head=str(Path(head)), here=str(Path(here)))


def _lies_in(path: str, folder: str) -> bool:
    return Path(path).is_relative_to(folder)


def parse_address(text: str, port: int = DEFAULT_PORT) -> tuple[str, int]:
    """Return host and port of `192.168.1.10`, `big-box:6390` or `[fd00::1]:6390`; `UsageError` otherwise."""
    host, _, written = text.rpartition(":") if _has_port(text) else (text, "", str(port))
    host = host.removeprefix("[").removesuffix("]")
    number = int(written) if written.isascii() and written.isdecimal() else 0
    if not host or any(sign in host for sign in "/@ ") or not 0 < number < 65_536:
        message = f"{text!r} is not the address of a machine."
        raise UsageError(message, f"Write for instance 192.168.1.10, or 192.168.1.10:{port}")
    return host, number


def _has_port(text: str) -> bool:
    return text.count(":") == 1 or "]:" in text


def join_address(host: str, port: int) -> str:
    """Return host and port as one word, as Ray reads it."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine itself reaches the address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
