"""A file on its way to a node: streamed with ranges, and only if it is the one that the node means."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from clients.api.answers import HttpProblem
from protocol.artefacts import describe_file

__all__ = ["give"]

_KNOWN_FILES = 4_096


class _InLargeParts(FileResponse):
    """Each part costs a turn on a thread."""

    chunk_size = 1 << 20


@dataclass(frozen=True, kw_only=True)
class _FileVersion:
    """A file as it was last written to."""

    path: Path
    device: int
    inode: int
    size: int
    modified_ns: int


def give(request: Request, path: Path, sha256: str = "") -> Response:
    """Return the file, or a 412 where `If-Match` names another sha256; blocks while the file is hashed.

    `sha256` is the file's where that is known already. Without `If-Match` the file is sent as it is.
    """
    wanted = request.headers.get("if-match", "").strip().strip('"')
    stat = path.stat()
    if not wanted:
        return _InLargeParts(path, stat_result=stat, media_type="application/octet-stream")
    found = sha256 or _digest(
        _FileVersion(
            path=path,
            device=stat.st_dev,
            inode=stat.st_ino,
            size=stat.st_size,
            modified_ns=stat.st_mtime_ns,
        )
    )
    if found != wanted:
        text = f"The file {path.name} is not the one that was made: its sha256 differs."
        raise HttpProblem(412, text, code="other_file")
    headers = {"ETag": f'"{found}"'}
    return _InLargeParts(path, stat_result=stat, media_type="application/octet-stream", headers=headers)


@functools.lru_cache(maxsize=_KNOWN_FILES)
def _digest(version: _FileVersion) -> str:
    """Return the sha256; a file that goes on after a break, or to the next node, is not read again for it."""
    return describe_file(version.path, version.path.name).sha256
