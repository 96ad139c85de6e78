"""The page and its files, and what can be chosen on it."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import HttpProblem, document
from clients.api.served import served
from clients.web.files import PAGE, REVIEW, find_file
from clients.web.options import options as known_options

__all__ = ["asset", "options", "page", "review_page"]


async def page(request: Request) -> Response:
    """Return the page for people: films, jobs and the house."""
    return await _send(request, PAGE)


async def review_page(request: Request) -> Response:
    """Return the page on which a job's subtitles are put right."""
    return await _send(request, REVIEW)


async def asset(request: Request) -> Response:
    """Return a file of the page."""
    return await _send(request, request.path_params["name"])


async def _send(request: Request, name: str) -> Response:
    found = await run_in_threadpool(find_file, name)
    if found is None:
        raise HttpProblem(404, "The page has no such file.", code="not_found")
    # A browser keeps it, and asks each time whether it is another: after an update nobody sees half of each.
    headers = {"ETag": found.etag, "Cache-Control": "private, no-cache"}
    if found.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)


async def options(request: Request) -> Response:
    """Return what can be chosen: workflows, languages, formats, rules, folders of films."""
    return document(known_options(served(request).settings.media))
