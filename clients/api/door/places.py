"""Paths that programs name: what they are called here, and whether they may be read."""

from __future__ import annotations

import os
from pathlib import Path

from clients.addresses.words import is_address
from clients.api.answers import HttpProblem
from envspecs.http.settings import MEDIA, HttpSettings

__all__ = ["allowed_path", "here_called", "lies_inside"]


def here_called(settings: HttpSettings, path: str) -> str:
    """Return what another machine's path is called here (`CPW_MEDIA_MAP`), or the path as it is."""
    for there, here in settings.places:
        if path == there or path.startswith((f"{there}/", f"{there}\\")):
            rest = path[len(there) :]
            return here + (rest.replace("\\", "/") if "\\" in there or ":" in there else rest)
    return path


def lies_inside(settings: HttpSettings, path: Path) -> bool:
    """Return whether the path leads to what may be read; what can be no path does not."""
    try:
        # Not Path.resolve: a link that leads to itself stops it.
        resolved = Path(os.path.realpath(path))
    except ValueError:
        return False
    return any(resolved == folder or folder in resolved.parents for folder in settings.media)


def allowed_path(settings: HttpSettings, written: str) -> Path:
    """Return the path, resolved, if it lies below a folder that may be read; links count where they lead.

    Raises a 403 otherwise. The sentence is the same for what is not there: nobody learns what lies elsewhere.
    """
    called = here_called(settings, written)
    if is_address(called):
        message = "A film is named by its path on this machine, not by a web address."
        remedy = "Fetch it there, in a shell: cpw-submit https://..."
        raise HttpProblem(403, message, remedy, code="path_outside", param="media")
    path = Path(called)
    if path.is_absolute() and lies_inside(settings, path):
        return Path(os.path.realpath(path))
    message = "The path does not lie in a folder that this server may read."
    raise HttpProblem(
        403, message, f"Name its folder: {MEDIA}=/folder cpw up", code="path_outside", param="media"
    )
