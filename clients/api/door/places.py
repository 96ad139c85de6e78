"""Paths that programs name: what they are called here, and whether they may be read."""

from __future__ import annotations

from pathlib import Path

from clients.api.answers import HttpProblem
from envspecs.http.settings import MEDIA, HttpSettings

__all__ = ["allowed_path", "here_called"]


def here_called(settings: HttpSettings, path: str) -> str:
    """Return what another machine's path is called here (`CPW_MEDIA_MAP`), or the path as it is."""
    for there, here in settings.places:
        if path == there or path.startswith((f"{there}/", f"{there}\\")):
            rest = path[len(there) :]
            return here + (rest.replace("\\", "/") if "\\" in there or ":" in there else rest)
    return path


def allowed_path(settings: HttpSettings, written: str) -> Path:
    """Return the path, resolved, if it lies below a folder that may be read; links count where they lead.

    Raises a 403 otherwise. The sentence is the same for what is not there: nobody learns what lies elsewhere.
    """
    path = Path(here_called(settings, written))
    if path.is_absolute() and "\0" not in written:
        resolved = path.resolve()
        if any(resolved == folder or folder in resolved.parents for folder in settings.media):
            return resolved
    message = "The path does not lie in a folder that this server may read."
    raise HttpProblem(
        403, message, f"Name its folder: {MEDIA}=/folder cpw up", code="path_outside", param="media"
    )
