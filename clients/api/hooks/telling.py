"""Telling somebody when a job ends: a POST to `CPW_WEBHOOK_URL`, whatever else happens here.

The revision up to which all is told stands in the state folder, so a restart loses none; one may be told
twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool

from clients.api.hooks.calls import post
from protocol.artefacts import read_json_as, write_json
from protocol.errors import CpwError, SchemaError
from protocol.messages import ChangesQuery, ChangesReport, JobReport
from protocol.schema import to_plain

__all__ = ["STATE", "Telling"]

log = logging.getLogger(__name__)

STATE = "http-told.json"
_LOOK_S = 1.0
_TRIES_S = (0.0, 2.0, 10.0)
"""How long each try waits first."""
_ENDED = ("done", "failed", "cancelled")
_REMEMBERED = 1_000


@dataclass(frozen=True, kw_only=True)
class _Told:
    revision: int
    ends: tuple[str, ...] = ()
    """The last ends that were told: a job changes after its end, too."""


@dataclass(kw_only=True)
class Telling:
    """Asks what has changed, again and again, and tells of the jobs that have ended."""

    url: str
    state: Path
    query: Callable[[ChangesQuery], Awaitable[ChangesReport]]
    send: Callable[[str, dict[str, Any]], str] = post
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep
    _told: _Told | None = field(default=None)

    async def run(self) -> None:
        """Go on until cancelled; what goes wrong is written to the log, and tried again."""
        while True:
            try:
                more = await self.look()
            except (CpwError, OSError) as error:
                log.info("nobody can be told of jobs now: %s", error)
                more = False
            if not more:
                await self.pause(_LOOK_S)

    async def look(self) -> bool:
        """Tell of the jobs that have ended since the last look; return whether there is more at once."""
        told = self._told or _read(self.state / STATE)
        report = await self.query(ChangesQuery(after=told.revision if told else None))
        if told is None or report.unknown:
            # Jobs of before are nobody's news.
            self._keep(_Told(revision=report.revision))
            return False
        for job in report.jobs:
            end = f"{job.job} {job.state} {job.elapsed_ms}"
            if job.state in _ENDED and end not in told.ends:
                await self._tell(job)
                told = _Told(revision=told.revision, ends=(*told.ends, end)[-_REMEMBERED:])
                self._keep(told)
        if report.revision != told.revision:
            self._keep(_Told(revision=report.revision, ends=told.ends))
        return report.revision < report.newest

    def _keep(self, told: _Told) -> None:
        write_json(self.state / STATE, to_plain(told))
        self._told = told

    async def _tell(self, job: JobReport) -> None:
        problem = ""
        for wait_s in _TRIES_S:
            await self.pause(wait_s)
            problem = await run_in_threadpool(self.send, self.url, _document(job))
            if not problem:
                return
        log.warning("the end of %s could not be told: %s", job.job, problem)


def _read(path: Path) -> _Told | None:
    try:
        return read_json_as(_Told, path)
    except (OSError, ValueError, SchemaError):
        return None


def _document(job: JobReport) -> dict[str, Any]:
    return {
        "event": "job.ended",
        "job": job.job,
        "state": job.state,
        "media": job.media,
        "workflow": job.workflow,
        "language": job.language,
        "outputs": list(job.outputs),
        "notes": list(job.notes),
        "error": to_plain(job.error) if job.error is not None else None,
    }
