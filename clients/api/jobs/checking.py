"""A subtitle file checked over HTTP, as `cpw qc` does it."""

from __future__ import annotations

import tempfile
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import document
from clients.api.bodies import read_whole, safe_name
from clients.api.served import Served, served
from clients.programs import ask_program
from protocol.schema import to_plain
from protocol.subtitles.quality import FileReport

__all__ = ["check"]

_MOST_BYTES = 16 * 1024 * 1024
_PROFILE = "netflix"


async def check(request: Request) -> Response:
    """Return which rules a subtitle file breaks: the body is the file, its name stands in the address."""
    data = await read_whole(request, _MOST_BYTES)
    asked = request.query_params
    words = [f"--profile={asked.get('profile') or _PROFILE}"]
    words += [f"--language={asked['language']}"] if asked.get("language") else []
    name = safe_name(request.path_params["name"])
    report = await run_in_threadpool(_checked, served(request), name, data, words)
    return document({**to_plain(report), "file": name})


def _checked(here: Served, name: str, data: bytes, words: list[str]) -> FileReport:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        words = ["--json", *words, "--", str(path)]
        return ask_program(here.desk, "qc", words, FileReport, f"The check of {name}")
