"""Films that come over HTTP: streamed once onto the disk of the job folders, never held in memory."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import HttpProblem, document
from clients.api.bodies import Arriving, chunks
from clients.api.served import served
from protocol.clock import now_ms
from protocol.errors import CpwError
from protocol.jobs.status import MOST_JOBS
from protocol.messages import StatusQuery, StatusReport

__all__ = ["forget_unused", "upload", "upload_path"]

log = logging.getLogger(__name__)

_EVERY_S = 86_400.0
_KEPT_MS = 7 * 86_400_000
_ID = re.compile(r"[0-9a-f]{32}")


async def forget_unused(uploads: Path, query: Callable[[StatusQuery], Awaitable[StatusReport]]) -> None:
    """Remove, day by day, films that no job is made of and that nobody has sent for a week."""
    while True:
        try:
            await _forget(uploads, query)
        except (CpwError, OSError) as error:
            log.info("old uploads stay for now: %s", error)
        await asyncio.sleep(_EVERY_S)


async def _forget(uploads: Path, query: Callable[[StatusQuery], Awaitable[StatusReport]]) -> None:
    old = await run_in_threadpool(_old, uploads)
    before = ""
    while old:
        jobs = (await query(StatusQuery(limit=MOST_JOBS, before=before))).jobs
        for job in jobs:
            old.discard(Path(job.media).parent)
        if len(jobs) < MOST_JOBS:
            break
        before = jobs[-1].job
    for folder in old:
        log.info("%s is removed: no job is made of it", folder)
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)


def _old(uploads: Path) -> set[Path]:
    """Return the folders of films that came more than a week ago."""
    found = set()
    for folder in uploads.glob("[0-9a-f]*"):
        ages_ms = [now_ms() - path.stat().st_mtime * 1000 for path in folder.iterdir()]
        if min(ages_ms, default=_KEPT_MS + 1) > _KEPT_MS:
            found.add(folder)
    return found


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
