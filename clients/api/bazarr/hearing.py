"""`/asr`: a film's sound comes, its subtitles go. `/status`: that somebody is here."""

from __future__ import annotations

import json

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clients.api.answers import HttpProblem
from clients.api.bazarr.asking import PATIENCE_S, Asked, read_asked
from clients.api.bodies import safe_name
from clients.api.openai.documents import segment_documents
from clients.api.served import served
from clients.api.speech.found import Found, read_found
from clients.api.speech.wanted import TRANSCRIBE, TRANSLATE, Wanted, language_of
from clients.api.waiting import begin, ended
from protocol import PROTOCOL_VERSION

__all__ = ["hear", "status"]

_OUTPUTS = ("txt", "srt", "vtt", "tsv", "json")
_ENGLISH = "en"


async def status(request: Request) -> Response:
    """Return that the server is here, as subgen says it."""
    del request
    return JSONResponse({"version": f"cpw (wire version {PROTOCOL_VERSION})"})


async def hear(request: Request) -> Response:
    """Return the subtitles of a sound file, or of raw samples with `encode=false`, as Bazarr asks."""
    asked = await read_asked(request)
    output = asked.one("output", _OUTPUTS[0]).casefold()
    if output not in _OUTPUTS:
        text = f"There is no output {output!r}."
        raise HttpProblem(400, text, f"One of {', '.join(_OUTPUTS)}.", param="output")
    wanted = _wanted(asked)
    submission = wanted.submission(asked.film, asked.title, str(served(request).desk.out))
    job = await begin(request, submission, PATIENCE_S)
    report = await ended(request, job, PATIENCE_S)
    found = await run_in_threadpool(read_found, report, wanted.answer_language)
    body = await run_in_threadpool(_written, found, output)
    name = safe_name(asked.title).encode("ascii", "replace").decode().replace('"', "'")
    headers = {"Asr-Engine": "cpw", "Content-Disposition": f'attachment; filename="{name}.{output}"'}
    return Response(body, media_type="text/plain; charset=utf-8", headers={**headers, "X-Cpw-Job": job})


def _wanted(asked: Asked) -> Wanted:
    task = asked.one("task", TRANSCRIBE).casefold()
    if task not in (TRANSCRIBE, TRANSLATE):
        raise HttpProblem(400, f"There is no task {task!r}.", f"{TRANSCRIBE} or {TRANSLATE}.", param="task")
    return Wanted(
        workflow=task,
        source=language_of(asked.one("language")),
        targets=(_ENGLISH,) if task == TRANSLATE else (),
        prompt=asked.one("initial_prompt"),
    )


def _written(found: Found, output: str) -> bytes:
    if output != "json":
        return found.file(output)
    words = [
        [
            {
                "word": word.text,
                "start": word.start_ms / 1000,
                "end": word.end_ms / 1000,
                "probability": word.probability,
            }
            for word in segment.words
        ]
        for segment in found.segments
    ]
    segments = [
        {**document, "words": spoken}
        for document, spoken in zip(segment_documents(found), words, strict=True)
    ]
    document = {"text": found.text, "segments": segments, "language": found.heard}
    return json.dumps(document, ensure_ascii=False).encode()
