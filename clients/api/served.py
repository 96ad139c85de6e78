"""What the handlers of requests work with, and how they ask the coordinator."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from clients.api.answers import HttpProblem
from clients.api.bodies import UPLOADS, parsed, read_whole
from clients.api.door.keys import Keys
from clients.api.events import Changes
from clients.asking import ask_coordinator, no_such_job
from clients.desk import Desk
from envspecs.http.settings import HttpSettings
from protocol.errors import SchemaError
from protocol.messages import JobReport, StatusQuery, StatusReport
from protocol.schema import from_plain

__all__ = ["Served", "ask", "find_job", "read_json", "served"]

T = TypeVar("T")
_ASK_MS = 30_000
_MOST_JSON_BYTES = 4 * 1024 * 1024


@dataclass(frozen=True, kw_only=True)
class Served:
    """What a handler uses: `served(request)` returns it."""

    desk: Desk
    keys: Keys
    settings: HttpSettings
    changes: Changes
    state: Path
    playable: dict[str, str] = field(default_factory=dict)
    """Job to the file that a browser plays, as the last review of it found."""

    @property
    def uploads(self) -> Path:
        """The folder of films that came over HTTP: on the disk of the job folders."""
        return self.desk.out / UPLOADS


def served(request: Request) -> Served:
    """Return what this server works with."""
    found: Served = request.app.state.served
    return found


async def ask(request: Request, question: Any) -> Any:
    """Return the coordinator's answer; `NotRunningError` says why there is none."""
    return await run_in_threadpool(ask_coordinator, served(request).desk, question, timeout_ms=_ASK_MS)


async def find_job(request: Request, name: str = "") -> JobReport:
    """Return the job of the address; a 404 where there is none."""
    job = name or request.path_params["job"]
    answer: StatusReport = await ask(request, StatusQuery(jobs=(job,)))
    if not answer.jobs:
        error = no_such_job(job)
        raise HttpProblem(404, error.message, "GET /api/jobs lists them.", code="no_such_job", param="job")
    return answer.jobs[0]


async def read_json(request: Request, kind: type[T]) -> T:
    """Return the body as a `kind`; what it does not know is refused by its name.

    Only `application/json` is read: a form of another site cannot send it.
    """
    sort = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if sort != "application/json":
        raise HttpProblem(415, "The body must be application/json.")
    body = await read_whole(request, _MOST_JSON_BYTES)
    try:
        return from_plain(kind, parsed(body or b"{}"), strict=True)
    except SchemaError as error:
        raise HttpProblem(400, f"{error.path}: {error.problem}.", param=error.path) from error
