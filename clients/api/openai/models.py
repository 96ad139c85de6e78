"""`/v1/models`: the models that can hear, as OpenAI lists its own."""

from __future__ import annotations

from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clients.api.openai.wishes import DEFAULT_MODEL
from clients.api.speech.wanted import model_of, speech_models
from envspecs.layout import models_directory

__all__ = ["list_all", "one"]


async def list_all(request: Request) -> Response:
    """Return the models that hear speech, as OpenAI lists models; `whisper-1` is the usual one here."""
    del request
    found = await run_in_threadpool(_names)
    return JSONResponse({"object": "list", "data": [_document(name) for name in found]})


async def one(request: Request) -> Response:
    """Return one of these models; a 404 where there is none of that name."""
    name = request.path_params["id"]
    if name != DEFAULT_MODEL:
        name = await run_in_threadpool(model_of, name)
    return JSONResponse(_document(name))


def _names() -> list[str]:
    return [DEFAULT_MODEL, *(found.model.id for found in speech_models())]


def _document(name: str) -> dict[str, Any]:
    folder = models_directory() / name
    created = int(folder.stat().st_mtime) if name != DEFAULT_MODEL and folder.is_dir() else 0
    return {"id": name, "object": "model", "created": created, "owned_by": "cpw"}
