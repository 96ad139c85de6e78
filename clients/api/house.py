"""The house over HTTP: its health and its models."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import document
from clients.api.served import ask, served
from clients.supervisor import with_supervisor
from protocol.errors import NotRunningError
from protocol.messages import HealthQuery, HealthReport

__all__ = ["health", "models", "robots"]


async def health(request: Request) -> Response:
    """Return what `cpw health --json` says: 200 where all is well, else 503."""
    try:
        found: HealthReport = await ask(request, HealthQuery())
    except NotRunningError as problem:
        found_nothing = {"healthy": False, "problem": problem.message, "remedy": problem.remedy}
        return document(found_nothing, 503)
    told = await run_in_threadpool(with_supervisor, served(request).desk, found)
    return document(vars(told), 200 if told.healthy else 503)


async def models(request: Request) -> Response:
    """Return the models that are in memory, with how much they take, by environment."""
    found: HealthReport = await ask(request, HealthQuery())
    loaded = [
        {
            "environment": worker.environment,
            "worker": worker.worker,
            "node": worker.node,
            **vars(model),
            "model": model.model,
        }
        for worker in found.environments
        for model in worker.models
    ]
    return document({"models": loaded})


async def robots(request: Request) -> Response:
    """Return that nothing here is to be indexed."""
    del request
    return Response("User-agent: *\nDisallow: /\n", media_type="text/plain")
