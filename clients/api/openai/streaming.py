"""`stream=true`: text as it is heard, then the whole, as OpenAI's server-sent events.

While the step asr runs, its chunks are told in the order of the film. What is taken out later (loops, credits
on silence) is in these deltas, but not in the text of the last event. So is what was taken for the film's
language, before it was recognised in its own. A translation is told when it is done.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from clients.api.answers import HttpProblem, error_document, status_of
from clients.api.openai.documents import segment_documents
from clients.api.openai.speakers import said_by
from clients.api.speech.found import read_found
from clients.api.waiting import looks, refuse_unfinished
from protocol.artefacts import read_json_as
from protocol.errors import CpwError, SchemaError, info_from_error
from protocol.messages import JobReport
from protocol.schema import from_json
from protocol.stages import asr
from protocol.timeline import Segment, Transcript

__all__ = ["spoken"]

_ALIVE_S = 10.0
"""So often a stream without news says that it is alive."""
_DONE = b"data: [DONE]\n\n"


async def spoken(
    request: Request, job: str, target: str | None, *, by_speaker: bool = False
) -> AsyncIterator[bytes]:
    """Yield the events of a job, until it has ended or nobody listens.

    `by_speaker`: when it is done, what each person says as a segment, as for `diarized_json`.
    """
    try:
        async for part in _events(request, job, target, by_speaker=by_speaker):
            yield part
    except (CpwError, HttpProblem, OSError) as problem:
        yield _event(_error(problem))


async def _events(
    request: Request, job: str, target: str | None, *, by_speaker: bool
) -> AsyncIterator[bytes]:
    loop = asyncio.get_running_loop()
    told, told_ms, said_s = 0, 0, loop.time()
    yield b": begun\n\n"
    async for report in looks(request, job):
        heard = [] if target else await run_in_threadpool(_heard_so_far, report)
        for segment in heard[told:]:
            yield _delta(segment)
            told, told_ms, said_s = told + 1, segment.end_ms, loop.time()
        if loop.time() - said_s >= _ALIVE_S:
            said_s = loop.time()
            yield b": keep-alive\n\n"
    refuse_unfinished(report)
    found = await run_in_threadpool(read_found, report, target)
    # What was told and what is there need not be as many: a stretch may have been recognised again.
    rest = await run_in_threadpool(_heard, report, told_ms) if told else found.segments
    for segment in rest:
        yield _delta(segment)
    segments = said_by(found.transcript) if by_speaker else segment_documents(found)
    for document in segments if by_speaker else ():
        yield _event(document)
    yield _event({"type": "transcript.text.done", "text": found.text, "segments": segments})
    yield _DONE


def _heard_so_far(job: JobReport) -> list[Segment]:
    """Return what the running step asr has heard; it writes a line a chunk."""
    found = Path(job.directory).glob(f".scratch/{asr.STAGE.name}-*/{asr.HEARD_SO_FAR}")
    for path in sorted(found, reverse=True):
        try:
            return list(_lines(path.read_bytes()))
        except (OSError, ValueError, SchemaError):
            continue  # the step has ended, and its scratch folder is going
    return []


def _lines(written: bytes) -> Iterator[Segment]:
    # What follows the last line end is still being written.
    for line in written.split(b"\n")[:-1]:
        yield from_json(Segment, line)


def _heard(job: JobReport, from_ms: int) -> tuple[Segment, ...]:
    """Return what the step asr has heard from there on."""
    try:
        heard = read_json_as(Transcript, Path(job.directory) / asr.STAGE.folder / "segments.json")
    except (OSError, ValueError, SchemaError):
        return ()
    return tuple(segment for segment in heard.segments if segment.start_ms >= from_ms)


def _delta(segment: Segment) -> bytes:
    return _event({"type": "transcript.text.delta", "delta": f"{segment.text.strip()} "})


def _error(problem: Exception) -> dict[str, Any]:
    if isinstance(problem, HttpProblem):
        return error_document(problem.info, problem.status, code=problem.code, param=problem.param)
    info = info_from_error(problem)
    return error_document(info, status_of(info.kind))


def _event(document: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(document, ensure_ascii=False)}\n\n".encode()
