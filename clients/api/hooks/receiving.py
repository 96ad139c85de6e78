"""`/hooks/WORD/SERVER`: a media server says that a film came, and a job makes its subtitles beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clients.api.answers import HttpProblem
from clients.api.bodies import parsed, read_whole
from clients.api.door.places import allowed_path
from clients.api.hooks.calls import film_paths
from clients.api.hooks.events import SERVERS, Happened, read_event
from clients.api.hooks.skipping import has_any, missing_languages, why_left_alone
from clients.api.served import Served, served
from clients.api.speech.forms import read_form
from clients.api.speech.wanted import PRIORITY
from clients.api.waiting import ask_patiently
from clients.programs import ask_program
from clients.submission import user_name
from envspecs.http.hooks import PLAYED, HookSettings
from protocol.errors import InputError, UsageError
from protocol.messages import Submit, Submitted
from protocol.stages import WORKFLOWS
from protocol.stages.demux import FilmLengths

__all__ = ["SERVERS", "receive"]

_MOST_BYTES = 1_000_000
_PATIENCE_S = 600.0
_FIELDS = {"plex": "payload", "emby": "data"}
"""Servers that send their JSON as a field of a form."""


@dataclass(frozen=True, kw_only=True)
class _Skipped:
    media: str
    why: str


async def receive(request: Request) -> Response:
    """Take the web hook of plex, jellyfin, emby, tautulli, sonarr or radarr: 202 where it leads to jobs."""
    server = request.url.path.rpartition("/")[2]
    happened = read_event(server, await _payload(request, server))
    settings = served(request).settings.hooks
    if not happened.kind or happened.kind not in settings.events:
        return _answer(happened, [], [])
    paths = happened.paths or await run_in_threadpool(_asked, settings, server, happened.item)
    jobs: list[dict[str, str]] = []
    skipped: list[_Skipped] = []
    for path in paths:
        found = await run_in_threadpool(_looked_at, served(request), path, happened.kind)
        if isinstance(found, str):
            skipped.append(_Skipped(media=path, why=found))
            continue
        try:
            # The server does not wait so long, and must not have to: it would not say it again.
            submitted: Submitted = await ask_patiently(request, found, _PATIENCE_S, stay=True)
        except (InputError, UsageError) as error:
            skipped.append(_Skipped(media=path, why=error.message))
        else:
            jobs.append({"media": path, "job": submitted.job})
    return _answer(happened, jobs, skipped)


async def _payload(request: Request, server: str) -> Mapping[str, Any]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind in ("multipart/form-data", "application/x-www-form-urlencoded"):
        written: str | bytes = (await read_form(request)).one(_FIELDS.get(server, "payload"))
    else:
        written = await read_whole(request, _MOST_BYTES)
    found = parsed(written)
    if not isinstance(found, dict):
        raise HttpProblem(400, "The payload is no JSON object.", "See docs/http.md.")
    return found


def _asked(settings: HookSettings, server: str, item: str) -> tuple[str, ...]:
    """Return where the film lies, as its server says when it is asked."""
    if not item:
        return ()
    if server not in settings.servers:
        name = server.upper()
        text = f"{server} does not say where a film lies, and nobody has said how to ask it."
        raise HttpProblem(400, text, f"Set CPW_{name} and CPW_{name}_TOKEN_FILE.", code="no_media_server")
    return film_paths(server, settings.servers[server], item)


def _looked_at(here: Served, written: str, kind: str) -> Submit | str:
    """Return what is to be done with a film, or why nothing is."""
    try:
        film = allowed_path(here.settings, written)
    except HttpProblem as problem:
        return f"{problem.info.message} {problem.info.remedy}"
    if why := why_left_alone(film, here.settings.media):
        return why

    def inside() -> tuple[str, ...]:
        task = f"The look at {film.name}"
        found = ask_program(here.desk, "lengths", [str(film)], FilmLengths, task)
        return found.subtitle_languages[0] if found.subtitle_languages else ()

    wanted = here.settings.hooks.languages
    targets = missing_languages(film, wanted, inside)
    if wanted and not targets:
        return f"It has subtitles already: {', '.join(wanted)}."
    if not wanted and has_any(film, inside):
        return "It has subtitles already."
    return _submission(here, film, targets, kind)


def _submission(here: Served, film: Path, targets: tuple[str, ...], kind: str) -> Submit:
    """Return the submission. A file that several servers tell of is one job; a new version of it is not."""
    workflow = here.settings.hooks.workflow
    stat = film.stat()
    known = [str(film), stat.st_size, stat.st_mtime_ns, workflow, targets]
    return Submit(
        media=str(film),
        workflow=workflow,
        user=user_name(),
        out=str(here.desk.out),
        target_languages=targets if WORKFLOWS[workflow].translates else (),
        beside=True,
        # Somebody sits before it.
        priority=PRIORITY if kind == PLAYED else 0,
        key=f"hook-{hashlib.sha256(json.dumps(known).encode()).hexdigest()}",
    )


def _answer(happened: Happened, jobs: list[dict[str, str]], skipped: list[_Skipped]) -> Response:
    """Say what was done, and why the rest was not."""
    document: dict[str, Any] = {"event": happened.event, "jobs": jobs}
    document["skipped"] = [asdict(film) for film in skipped]
    if not jobs and not skipped:
        document["why"] = "The event makes no film."
    return JSONResponse(document, 202 if jobs else 200)
