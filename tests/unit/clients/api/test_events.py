"""The stream of changes, with a coordinator that a test answers for."""

from __future__ import annotations

import asyncio

from clients.api.events import Changes
from protocol.messages import ChangesQuery, ChangesReport, JobReport


def job(state: str) -> JobReport:
    return JobReport(
        job="job-1", state=state, media="/film.mkv", workflow="transcribe", directory="/out", created_at="",
        elapsed_ms=0, fraction=0.0, steps=(),
    )  # fmt: skip


def test_a_change_between_the_first_look_and_what_was_missed_is_told() -> None:
    """The first look says where now is, and brings nothing: what one missed must be asked for after it."""
    asked: list[int | None] = []
    revision = 4

    async def query(question: ChangesQuery) -> ChangesReport:
        nonlocal revision
        asked.append(question.after)
        await asyncio.sleep(0)
        if question.after is None:
            found = ChangesReport(revision=revision, newest=revision)
        else:
            jobs = (job("done"),) if question.after < revision else ()
            found = ChangesReport(revision=revision, newest=revision, jobs=jobs)
        revision = 5  # the job ends right after whatever is asked first
        return found

    async def listen() -> list[str]:
        told = []
        async for part in Changes(query=query).stream(4):
            told.append(part.decode())
            if "done" in told[-1]:
                return told
        raise AssertionError(told)

    told = asyncio.run(asyncio.wait_for(listen(), 10))
    assert asked[:2] == [None, 4]
    assert told[-1].startswith("id: 5\nevent: job\n")
