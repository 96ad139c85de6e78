"""The head's model store for nodes: which models it has, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import HttpProblem, document
from clients.api.cluster.sending import give
from clients.api.served import served
from envspecs.layout import models_directory
from envspecs.models.registry import Manifest, has_model, read_manifest
from protocol.schema import to_plain

__all__ = ["file_of_model", "list_models", "manifest"]


async def list_models(request: Request) -> Response:
    """Tell a node which models are in the head's store, and how large each is."""
    return document({"models": await run_in_threadpool(_listed, _store(request))})


async def manifest(request: Request) -> Response:
    """Give a node the manifest of a model: its files, their sizes and hashes."""
    found = await run_in_threadpool(_manifest_of, request)
    return document(to_plain(found))


async def file_of_model(request: Request) -> Response:
    """Give a node a file of a model, with ranges; `If-Match` names its sha256."""
    found = await run_in_threadpool(_manifest_of, request)
    name = request.path_params["path"]
    if name not in found.files:
        raise HttpProblem(404, f"The model {found.id} has no file {name}.", code="no_such_file")
    path = _store(request) / request.path_params["id"] / name
    return await run_in_threadpool(give, request, path, found.files[name].sha256)


def _store(request: Request) -> Path:
    return models_directory(served(request).desk.home)


def _listed(store: Path) -> list[dict[str, Any]]:
    found = []
    for folder in sorted(store.iterdir()) if store.is_dir() else ():
        known = read_manifest(folder)
        if known is not None and not folder.name.startswith(".") and has_model(folder.name, store):
            size = sum(file.size for file in known.files.values())
            found.append({"id": folder.name, "size": size})
    return found


def _manifest_of(request: Request) -> Manifest:
    store, name = _store(request), request.path_params["id"]
    is_model = not name.startswith(".") and has_model(name, store)
    found = read_manifest(store / name) if is_model else None
    if found is None:
        raise HttpProblem(404, f"The head has no model {name}.", code="no_such_model")
    return found
