"""The server: the table of addresses behind the door, on a socket of this machine."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.errors import ServerErrorMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from clients.api.answers import HttpProblem, refusal
from clients.api.door.door import Door
from clients.api.door.keys import Keys
from clients.api.events import Changes
from clients.api.hooks.telling import Telling
from clients.api.jobs.uploads import forget_unused
from clients.api.routes import ROUTES
from clients.api.served import Served
from clients.asking import ask_coordinator
from clients.desk import Desk
from envspecs.http.settings import HttpSettings
from envspecs.layout import state_directory
from protocol.errors import CpwError, UsageError
from protocol.messages import ChangesQuery, ChangesReport, StatusQuery, StatusReport

__all__ = [
    "Server",
    "bind",
    "make_app",
]

log = logging.getLogger(__name__)

_HEAD_S = 20.0
"""Who connects says what he wants within this time."""
_PORTS_TRIED = 20
_TICK_S = 1.0
_NOT_ALLOWED = 405
_END_S = 1
_BACKLOG = 512
_MOST_CONNECTIONS = 1_000


def make_app(desk: Desk, keys: Keys, settings: HttpSettings) -> Starlette:
    """Return the application: what answers requests."""
    state = state_directory(desk.home)

    async def query(question: ChangesQuery) -> ChangesReport:
        found: ChangesReport = await run_in_threadpool(ask_coordinator, desk, question)
        return found

    app = Starlette(
        routes=[Route(row.path, _guarded(row.handler), methods=[row.method]) for row in ROUTES],
        middleware=[
            Middleware(_door, keys=keys, settings=settings, state=state),
            # A fault of ours is answered as every error is, and behind the door.
            Middleware(ServerErrorMiddleware, handler=_fault),
        ],
        exception_handlers={HTTPException: _no_such_address},
    )
    app.state.rows = ROUTES
    app.state.served = Served(
        desk=desk, keys=keys, settings=settings, changes=Changes(query=query), state=state
    )
    return app


def beside_of(app: Starlette) -> list[Coroutine[Any, Any, None]]:
    """Return what is done beside the requests: somebody is told of ends of jobs, old uploads go."""
    here: Served = app.state.served

    async def status(question: StatusQuery) -> StatusReport:
        found: StatusReport = await run_in_threadpool(ask_coordinator, here.desk, question)
        return found

    url = here.settings.hooks.told
    telling = [Telling(url=url, state=here.state, query=here.changes.query).run()] if url else []
    return [forget_unused(here.uploads, status), *telling]


def _door(app: ASGIApp, *, keys: Keys, settings: HttpSettings, state: Path) -> ASGIApp:
    return Door(app=app, keys=keys, settings=settings, state=state)


def _guarded(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except (CpwError, HttpProblem, OSError) as problem:
            if not isinstance(problem, (CpwError, HttpProblem)):
                log.exception("%s %s", request.method, request.url.path)
            return refusal(problem)

    return guarded


async def _fault(request: Request, problem: Exception) -> Response:
    del request
    return refusal(problem)


async def _no_such_address(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    if problem.status_code == _NOT_ALLOWED:
        methods = _methods_of(request)
        text = f"This address does not take {request.method}."
        wrong = HttpProblem(_NOT_ALLOWED, text, f"It takes {methods}.", code="method_not_allowed")
        return refusal(wrong, {"Allow": methods})
    text = "There is nothing at this address."
    return refusal(HttpProblem(problem.status_code, text, "See docs/http.md.", code="not_found"))


def _methods_of(request: Request) -> str:
    """Return what the address takes; each of its rows in the table names one method."""
    routes = (route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE)
    return ", ".join(sorted({method for route in routes for method in route.methods}))


def bind(settings: HttpSettings) -> socket.socket:
    """Return the socket on which the server listens.

    Where the usual port is taken, by another checkout for example, the next free one is; `UsageError` where
    the person has named the port, or none is free.
    """
    first = settings.port
    last = first if settings.is_chosen else first + _PORTS_TRIED
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in range(first, last + 1):
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((settings.host, port))
            found.listen(_BACKLOG)
        except OSError as error:
            found.close()
            if port == last:
                message = f"The HTTP server cannot listen on {settings.host}:{port}: {error.strerror}."
                raise UsageError(message, "Name another address: CPW_HTTP=127.0.0.1:8766, or off.") from error
        else:
            return found
    raise AssertionError  # the last turn of the loop returns or raises


class _Patient(H11Protocol):
    """Closes a connection that does not say what it wants in time, and one too many."""

    rest_s = 60.0
    """Who has his answer ends his request, or says the next one, within this time."""
    _silence: asyncio.TimerHandle | None = None
    _heard: Any = None
    """The last request whose head came whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # (narrower, as in uvicorn)
        """Begin to wait."""
        super().connection_made(transport)
        if len(self.connections) > _MOST_CONNECTIONS:
            transport.abort()
            return
        self._silence = self.loop.call_later(_HEAD_S, transport.abort)

    def _end_wait(self) -> None:
        if self._silence is not None:
            self._silence.cancel()

    def handle_events(self) -> None:
        """Take what came; the whole head of a request ends the wait until it is answered."""
        super().handle_events()
        if self.scope is not self._heard:
            self._heard = self.scope
            self._end_wait()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request: one byte of it ends uvicorn's own wait."""
        self._end_wait()
        # Closed, not aborted: a slow reader gets the rest of his answer.
        self._silence = self.loop.call_later(self.rest_s, self.transport.close)
        super().on_response_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._end_wait()
        super().connection_lost(exc)


class Server(uvicorn.Server):
    """Serves until told to stop; idle, it wakes once a second."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        super().__init__(
            uvicorn.Config(
                app,
                http=_Patient,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=_END_S,
            )
        )

    async def main_loop(self) -> None:
        """Wait for the end; uvicorn's own loop wakes ten times a second."""
        beside = [asyncio.create_task(task) for task in beside_of(self._app)]
        while not await self.on_tick(0):
            await asyncio.sleep(_TICK_S)
        for task in beside:
            task.cancel()
