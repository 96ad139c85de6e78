"""What the payload of each server says: what happened, and to which film. Pure.

Sources: Plex's, Jellyfin's, Emby's and Tautulli's as subgen takes them; Sonarr's and Radarr's webhooks
(`eventType`, `episodeFile`, `movieFile`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from envspecs.http.hooks import ADDED, PLAYED

__all__ = ["SERVERS", "Happened", "read_event"]

_PLEX_ID = re.compile(r"\d{1,18}")
_JELLYFIN_ID = re.compile(r"[0-9A-Fa-f-]{1,64}")


@dataclass(frozen=True, kw_only=True)
class Happened:
    """What a server says."""

    event: str
    """In its own words."""
    kind: str = ""
    """`added`, `played`, or nothing that makes a film."""
    paths: tuple[str, ...] = ()
    """As the server calls them."""
    item: str = ""
    """Where no path is said: the film's id at the server."""


def read_event(server: str, payload: Mapping[str, Any]) -> Happened:
    """Return what the payload says; whatever is missing in it says nothing."""
    return _READERS[server](payload)


def _plex(payload: Mapping[str, Any]) -> Happened:
    event = _text(payload, "event")
    item = _text(_inner(payload, "Metadata"), "ratingKey")
    kinds = {"library.new": ADDED, "media.play": PLAYED}
    return Happened(event=event, kind=kinds.get(event, ""), item=item if _PLEX_ID.fullmatch(item) else "")


def _jellyfin(payload: Mapping[str, Any]) -> Happened:
    event, item = _text(payload, "NotificationType"), _text(payload, "ItemId")
    kinds = {"ItemAdded": ADDED, "PlaybackStart": PLAYED}
    return Happened(event=event, kind=kinds.get(event, ""), item=item if _JELLYFIN_ID.fullmatch(item) else "")


def _emby(payload: Mapping[str, Any]) -> Happened:
    event = _text(payload, "Event")
    kinds = {"library.new": ADDED, "playback.start": PLAYED}
    return Happened(
        event=event, kind=kinds.get(event, ""), paths=_one(_text(_inner(payload, "Item"), "Path"))
    )


def _tautulli(payload: Mapping[str, Any]) -> Happened:
    event = _text(payload, "event")
    kinds = {"added": ADDED, "created": ADDED, "played": PLAYED, "play": PLAYED}
    return Happened(event=event, kind=kinds.get(event, ""), paths=_one(_text(payload, "file")))


def _sonarr(payload: Mapping[str, Any]) -> Happened:
    files = [_inner(payload, "episodeFile"), *_list(payload, "episodeFiles")]
    return _arr(payload, files, _text(_inner(payload, "series"), "path"))


def _radarr(payload: Mapping[str, Any]) -> Happened:
    files = [_inner(payload, "movieFile"), *_list(payload, "movieFiles")]
    return _arr(payload, files, _text(_inner(payload, "movie"), "folderPath"))


def _arr(payload: Mapping[str, Any], files: list[Mapping[str, Any]], folder: str) -> Happened:
    paths = (_path(file, folder) for file in files)
    event = _text(payload, "eventType")
    # An upgrade is a `Download`, too: another file in the place of an old one.
    kind = ADDED if event == "Download" else ""
    return Happened(event=event, kind=kind, paths=tuple(dict.fromkeys(filter(None, paths))))


def _path(file: Mapping[str, Any], folder: str) -> str:
    whole, inner = _text(file, "path"), _text(file, "relativePath")
    if whole or not inner or not folder:
        return whole
    between = "\\" if "\\" in folder else "/"
    return f"{folder.rstrip(between)}{between}{inner}"


_READERS: dict[str, Callable[[Mapping[str, Any]], Happened]] = {
    "plex": _plex,
    "jellyfin": _jellyfin,
    "emby": _emby,
    "tautulli": _tautulli,
    "sonarr": _sonarr,
    "radarr": _radarr,
}
SERVERS = tuple(_READERS)


def _text(payload: Mapping[str, Any], name: str) -> str:
    found = payload.get(name)
    return str(found).strip() if isinstance(found, (str, int)) else ""


def _inner(payload: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = payload.get(name)
    return found if isinstance(found, dict) else {}


def _list(payload: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = payload.get(name)
    return [part for part in found if isinstance(part, dict)] if isinstance(found, list) else []


def _one(path: str) -> tuple[str, ...]:
    return (path,) if path else ()
