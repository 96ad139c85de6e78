"""Films that come over HTTP: streamed once onto the disk of the job folders, never held in memory."""

from __future__ import annotations

import re
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import HttpProblem, document
from clients.api.bodies import Arriving, chunks
from clients.api.served import served

__all__ = ["upload", "upload_path"]

_ID = re.compile(r"[0-9a-f]{32}")


async def upload(request: Request) -> Response:
    """Take a film, the body as it is, and return the id by which a job is made of it."""
    async with Arriving(served(request).uploads, request) as arriving:
        async for part in chunks(request):
            await arriving.add(part)
        film = await arriving.finish(request.path_params["name"])
    found = {
        "upload": film.path.parent.name,
        "name": film.path.name,
        "size": film.size,
        "sha256": film.sha256,
    }
    return document(found, 201)


def upload_path(uploads: Path, word: str) -> Path:
    """Return the film of an upload; a 404 where there is none."""
    folder = uploads / word
    if _ID.fullmatch(word) and folder.is_dir():
        for path in folder.iterdir():
            return path
    raise HttpProblem(
        404, "There is no such upload.", "Send it again.", code="no_such_upload", param="upload"
    )
