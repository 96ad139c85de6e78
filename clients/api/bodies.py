"""Bodies of requests: read with patience, but not for ever, and never whole where they are films."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from clients.api.answers import HttpProblem
from protocol.artefacts import sync_directory
from protocol.errors import DiskFullError

__all__ = [
    "PATIENCE_S",
    "UPLOADS",
    "Arrived",
    "Arriving",
    "chunks",
    "forget_half",
    "parsed",
    "read_whole",
    "safe_name",
]

UPLOADS = "uploads"
"""The folder of films that came over HTTP, on the disk of the job folders."""
PATIENCE_S = 30.0
"""A sender that says nothing for so long has gone."""
_SPARE_BYTES = 256 * 1024 * 1024
"""An upload leaves so much of the disk to the jobs."""
_TOGETHER_BYTES = 1024 * 1024
_LONGEST_NAME_BYTES = 200


async def chunks(request: Request, patience_s: float = PATIENCE_S) -> AsyncIterator[bytes]:
    """Yield the body as it comes; a 408 where nothing of it comes for so long."""
    stream = request.stream()
    while True:
        try:
            part = await asyncio.wait_for(anext(stream), patience_s)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise HttpProblem(408, f"Nothing of the body came for {patience_s:.0f} s.") from error
        except ClientDisconnect as error:
            raise HttpProblem(400, "The sender went away.") from error
        if part:
            yield part


async def read_whole(request: Request, most_bytes: int) -> bytes:
    """Return a small body; a 413 where it is larger."""
    refuse_longer(request, most_bytes)
    parts, size = [], 0
    async for part in chunks(request):
        size += len(part)
        if size > most_bytes:
            raise _too_large(most_bytes)
        parts.append(part)
    return b"".join(parts)


def parsed(written: str | bytes) -> Any:
    """Return what a body says as JSON; a 400 where it is none, or could not be written down again."""
    try:
        found = json.loads(written)
        # Half a character, as "\\ud800", is JSON but no text: no file and no message can hold it.
        json.dumps(found, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError as error:
        raise HttpProblem(400, "The body is nested too deeply.") from error
    except UnicodeEncodeError as error:
        raise HttpProblem(400, "The body holds half a character, which is no text.") from error
    except ValueError as error:
        raise HttpProblem(400, f"The body is no JSON: {error}.") from error
    return found


def refuse_longer(request: Request, most_bytes: int) -> None:
    """Refuse a body that says that it is larger, before anything of it is read."""
    if _said_length(request) > most_bytes:
        raise _too_large(most_bytes)


def _said_length(request: Request) -> int:
    said = request.headers.get("content-length", "")
    return int(said) if said.isascii() and said.isdecimal() else 0


def _too_large(most_bytes: int) -> HttpProblem:
    return HttpProblem(413, f"The body is larger than {most_bytes} bytes.")


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """A file that came whole."""

    path: Path
    name: str
    size: int
    sha256: str


class Arriving:
    """A file on its way into a folder; a context manager that leaves nothing half.

    It is written once, on the disk where it stays, and hashed on the way. `finish` puts it into
    `<folder>/<hash>/<name>`: the same bytes sent twice are one file. `place` puts it where its sender says.
    """

    def __init__(self, folder: Path, request: Request) -> None:
        self._folder = folder
        self._part = folder / f".{secrets.token_hex(8)}.part"
        self._said = _said_length(request)
        self._hash = hashlib.sha256()
        self._size = 0
        self._waiting: list[bytes] = []
        self._waits = 0
        self._file: BinaryIO | None = None

    async def __aenter__(self) -> Arriving:
        await run_in_threadpool(self._begin)
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            if self._file is not None:
                self._file.close()
        finally:
            # A full disk refuses the last bytes at the close, too: the rest must go all the more.
            self._part.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if self._said:
            self._refuse_no_room(self._said)
        self._file = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")

    def _refuse_no_room(self, need: int) -> None:
        free = shutil.disk_usage(self._folder).free
        if need + _SPARE_BYTES > free:
            takes, left, kept = (size // 1_000_000 for size in (need, free, _SPARE_BYTES))
            message = (
                f"The upload takes {takes:,} MB, {left:,} MB of the disk are free, and {kept} MB stay so."
            )
            raise DiskFullError(message, "Make room, or name another folder for jobs with CPW_OUT.")

    async def add(self, part: bytes) -> None:
        """Write what came; small parts wait for others, since each turn on a thread has its price."""
        self._waiting.append(part)
        self._waits += len(part)
        if self._waits >= _TOGETHER_BYTES:
            await run_in_threadpool(self._write)

    def _write(self) -> None:
        assert self._file is not None
        data = b"".join(self._waiting)
        self._waiting.clear()
        self._waits = 0
        if not self._said:
            # Nobody has said how much comes.
            self._refuse_no_room(len(data))
        self._hash.update(data)
        self._size += len(data)
        self._file.write(data)

    async def amend(self, place: int, part: bytes) -> None:
        """Write over what came: a header whose sizes are known at the end. The hash stays that of before."""
        await run_in_threadpool(self._amend, place, part)

    def _amend(self, place: int, part: bytes) -> None:
        assert self._file is not None
        self._write()
        self._file.seek(place)
        self._file.write(part)
        self._file.seek(0, os.SEEK_END)

    async def finish(self, name: str) -> Arrived:
        """Put the file in its place under a name that is safe."""
        return await run_in_threadpool(self._finish, safe_name(name))

    def _finish(self, name: str) -> Arrived:
        assert self._file is not None
        self._write()
        if not self._size:
            raise HttpProblem(400, "The file is empty.", param="file")
        digest = self._settle()
        folder = self._folder / digest[:32]
        folder.mkdir(mode=0o700, exist_ok=True)
        known = next((path for path in folder.iterdir() if path.stat().st_size == self._size), None)
        path = known or folder / name
        if known is None:
            self._part.replace(path)
        else:
            # In use again: the clean-up of old uploads goes by this time.
            with contextlib.suppress(OSError):
                os.utime(path)
        return Arrived(path=path, name=name, size=self._size, sha256=digest)

    async def place(self, path: Path, sha256: str) -> int:
        """Put the file at `path` and return its size; a 422 where it has another hash."""
        return await run_in_threadpool(self._place, path, sha256)

    def _place(self, path: Path, sha256: str) -> int:
        self._write()
        if self._settle() != sha256:
            raise HttpProblem(422, "Other bytes came than were said.", "Send it again.", code="wrong_bytes")
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._part.replace(path)
        sync_directory(path.parent)
        return self._size

    def _settle(self) -> str:
        """Write all that came to the disk (fsync), and return its sha256."""
        assert self._file is not None
        self._file.flush()
        os.fsync(self._file.fileno())
        return self._hash.hexdigest()


def forget_half(uploads: Path) -> None:
    """Remove what uploads left of which the server that took them has died."""
    for part in uploads.glob(".*.part"):
        part.unlink(missing_ok=True)


def safe_name(written: str) -> str:
    """Return the last part of a name as a file can have it, never empty and never hidden."""
    last = written.replace("\\", "/").rpartition("/")[2]
    kept = "".join(sign for sign in last if sign.isprintable()).strip().lstrip(".-")
    while len(kept.encode("utf-8", "replace")) > _LONGEST_NAME_BYTES:
        stem, dot, ending = kept.rpartition(".")
        # Of a name that is all ending its end goes: a name without a stem would be hidden.
        kept = f"{stem[:-1]}{dot}{ending}" if len(stem) > 1 else kept[:-1]
    return kept.encode("utf-8", "replace").decode() or "film"
