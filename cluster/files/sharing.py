"""What a call names on the head, as its node can read it: paths in shares, and files that must be fetched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from protocol.artefacts import Artefact

__all__ = ["MEDIA", "called_here", "named_artefacts", "without_film_facts"]

MEDIA = "media"
"""The field of a request that names a film by its absolute path on the head."""
_ARTEFACT = frozenset({"path", "size", "sha256"})
_FILM = "film"
_FILM_FACTS = frozenset({"path", "size", "device", "inode", "modified_ns"})


def called_here(path: str, shares: Mapping[str, str]) -> str | None:
    """Return what the head's absolute `path` is called on this node; None: it lies in no share.

    `shares` is a folder's absolute path on the head to its path here; of those inside each other the
    innermost counts. Whole parts of paths are compared: `/mnt/nas2` is not in `/mnt/nas`. A path that goes
    up (`..`) lies in no share.
    """
    parts = PurePosixPath(path).parts
    best: tuple[int, str] | None = None
    for head, here in shares.items():
        above = PurePosixPath(head).parts
        if not _is_whole(head, here) or parts[: len(above)] != above or ".." in parts:
            continue
        if best is None or len(above) > best[0]:
            best = len(above), str(PurePosixPath(here, *parts[len(above) :]))
    return best[1] if best is not None else None


def _is_whole(*paths: str) -> bool:
    """Return whether the paths are absolute and go nowhere up."""
    pure = [PurePosixPath(path) for path in paths]
    return all(path.is_absolute() and ".." not in path.parts for path in pure)


def named_artefacts(value: Any) -> Iterator[Artefact]:
    """Yield the artefacts that a plain value names, at any depth: dicts of exactly path, size and sha256."""
    if isinstance(value, Mapping):
        if value.keys() == _ARTEFACT:
            yield Artefact(path=str(value["path"]), size=int(value["size"]), sha256=str(value["sha256"]))
            return
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for entry in value:
            yield from named_artefacts(entry)


def without_film_facts(result: dict[str, Any]) -> dict[str, Any]:
    """Return a call's result without what this node's disk says of the film.

    Its device, inode and path are this node's: on the head they could be those of another file.
    """
    film = result.get(_FILM)
    if isinstance(film, Mapping) and film.keys() == _FILM_FACTS:
        return {**result, _FILM: None}
    return result
