"""Files of jobs for nodes, and what nodes have made: only into the scratch folder of an attempt that runs."""

from __future__ import annotations

import base64
import os
from pathlib import Path, PurePosixPath

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import HttpProblem, document
from clients.api.bodies import Arriving, chunks, read_whole
from clients.api.cluster.sending import give
from clients.api.jobs.files import is_file_below, stays_here
from clients.api.served import find_job
from protocol.artefacts import resolve_inside
from protocol.errors import InputError

__all__ = ["file_of_job", "put_file", "put_log"]

_MOST_LOG_BYTES = 16 * 1024 * 1024
_SHA256_BYTES = 32


async def file_of_job(request: Request) -> Response:
    """Give a node a file of a job, with ranges; `If-Match` names its sha256."""
    job = await find_job(request)
    folder, inner = Path(job.directory), request.path_params["path"]
    path = resolve_inside(folder, inner)
    hidden = any(part.startswith(".") for part in PurePosixPath(inner).parts)
    if hidden or stays_here(path) or not await run_in_threadpool(is_file_below, folder, path):
        raise HttpProblem(404, f"The job {job.job} has no file {inner}.", code="no_such_file")
    return await run_in_threadpool(give, request, path)


async def put_file(request: Request) -> Response:
    """Take a file that a running attempt has made on a node; `Content-Digest` says its sha256."""
    job_folder = await _running(request)
    step, attempt = request.path_params["step"], request.path_params["attempt"]
    scratch = job_folder / ".scratch" / f"{step}-{attempt}"
    path = _inside(scratch, request.path_params["path"])
    sha256 = _said_sha256(request)
    if not request.headers.get("content-length", "").isdecimal():
        raise HttpProblem(411, "How long the file is must be said: Content-Length.")
    async with Arriving(scratch, request) as arriving:
        async for part in chunks(request):
            await arriving.add(part)
        # It may have been cancelled meanwhile, and its scratch folder removed.
        await _running(request)
        size = await arriving.place(path, sha256)
    return document({"size": size, "sha256": sha256}, 201)


async def put_log(request: Request) -> Response:
    """Take what a running attempt has said on a node; it is added to the log of its step, once."""
    job_folder = await _running(request)
    data = await read_whole(request, _MOST_LOG_BYTES)
    job, step, attempt = (request.path_params[name] for name in ("job", "step", "attempt"))
    log = job_folder / "logs" / f"{step}.log"
    added = await run_in_threadpool(_add, log, f" {job}/{step}#{attempt} | ".encode(), data)
    return document({"added": added}, 201)


async def _running(request: Request) -> Path:
    """Return the job folder of an attempt that runs; a 409 for any other: its files are not wanted."""
    job = await find_job(request)
    step, attempt = request.path_params["step"], request.path_params["attempt"]
    for found in job.steps:
        if (found.name, str(found.attempt), found.state) == (step, attempt, "running"):
            return Path(job.directory)
    text = f"Attempt {attempt} at {step} of {job.job} does not run: what it has made is not wanted."
    raise HttpProblem(409, text, code="stale")


def _inside(scratch: Path, inner: str) -> Path:
    """Return the path of a file in the scratch folder; `InputError` for one that leads out, by a link too."""
    path = resolve_inside(scratch, inner)
    if not Path(os.path.realpath(path.parent)).is_relative_to(os.path.realpath(scratch)):
        message = f"The path {inner!r} leads out of the scratch folder."
        raise InputError(message)
    return path


def _said_sha256(request: Request) -> str:
    """Return what `Content-Digest: sha-256=:...:` says (RFC 9530), in hexadecimal; a 400 without it."""
    scheme, _, rest = request.headers.get("content-digest", "").strip().partition("=")
    try:
        found = base64.b64decode(rest.removeprefix(":").removesuffix(":"), validate=True)
    except ValueError:
        found = b""
    if scheme.casefold() != "sha-256" or len(found) != _SHA256_BYTES:
        raise HttpProblem(400, "The file's hash must be said: Content-Digest: sha-256=:...:")
    return found.hex()


def _add(log: Path, sign: bytes, data: bytes) -> bool:
    """Add lines to a log unless lines with this sign are in it: they were sent twice."""
    log.parent.mkdir(mode=0o700, exist_ok=True)
    with log.open("a+b") as file:
        file.seek(0)
        if any(sign in line for line in file):
            return False
        file.seek(0, os.SEEK_END)
        file.write(data)
    return True
