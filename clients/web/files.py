"""The files of the page: what stands in the folder `assets`, and nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGE", "REVIEW", "PageFile", "find_file"]

PAGE = "page.html"
REVIEW = "review.html"
_FOLDER = Path(__file__).parent / "assets"
_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, kw_only=True)
class PageFile:
    """A file as a browser is given it."""

    content: bytes
    media_type: str
    etag: str
    """Of its content: a browser that has it asks whether it is still so."""


def find_file(name: str) -> PageFile | None:
    """Return the file of this name; None where there is none."""
    path = next((path for path in _FOLDER.iterdir() if path.name == name), None)
    if path is None or path.suffix not in _TYPES:
        return None
    content = path.read_bytes()
    etag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    return PageFile(content=content, media_type=_TYPES[path.suffix], etag=etag)
