"""Films that were sent and of which no job is made are removed after a week."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from clients.api.jobs.uploads import forget_unused
from protocol.clock import now_ms
from protocol.messages import JobReport, StatusQuery, StatusReport

DAY_S = 86_400


def sent(uploads: Path, name: str, days: float) -> Path:
    folder = uploads / (name * 32)
    folder.mkdir(parents=True)
    film = folder / "film.mkv"
    film.write_bytes(b"x")
    moment = now_ms() / 1000 - days * DAY_S
    os.utime(film, (moment, moment))
    return film


def job_of(film: Path) -> JobReport:
    return JobReport(
        job="job-1",
        state="done",
        media=str(film),
        workflow="transcribe",
        directory="/out",
        created_at="2026-01-01T00:00:00.000Z",
        elapsed_ms=1,
        fraction=1.0,
        steps=(),
    )


def test_old_uploads_without_a_job_are_removed_and_the_others_stay(tmp_path: Path) -> None:
    old, used, young = sent(tmp_path, "a", 8), sent(tmp_path, "b", 8), sent(tmp_path, "c", 6)
    asked: list[StatusQuery] = []

    async def query(question: StatusQuery) -> StatusReport:
        asked.append(question)
        return StatusReport(jobs=(job_of(used),))

    async def once() -> None:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(forget_unused(tmp_path, query), 0.5)

    asyncio.run(once())
    assert not old.parent.exists()
    assert used.exists()
    assert young.exists()
    assert len(asked) == 1
