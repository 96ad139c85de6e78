"""`/v1/audio/transcriptions` and `/v1/audio/translations`: a file comes, its text goes."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from clients.api.answers import HttpProblem
from clients.api.bodies import Arriving
from clients.api.openai.documents import diarized_document, json_document, verbose_document
from clients.api.openai.streaming import spoken
from clients.api.openai.wishes import Wish, read_wish
from clients.api.served import served
from clients.api.speech.forms import read_form, said_after_the_body
from clients.api.speech.found import Found, read_found
from clients.api.waiting import begin, ended

__all__ = ["transcriptions", "translations"]

_TEXT = "text/plain; charset=utf-8"
_VTT = "text/vtt; charset=utf-8"


async def transcriptions(request: Request) -> Response:
    """Write down what is said in a file, as OpenAI's transcriptions do; the same file is the same job."""
    return await _answer(request, translates=False)


async def translations(request: Request) -> Response:
    """Write down what is said in a file in English, or in `target_language`, as OpenAI's translations do."""
    return await _answer(request, translates=True)


async def _answer(request: Request, *, translates: bool) -> Response:
    here = served(request)
    async with said_after_the_body(request), Arriving(here.uploads, request) as arriving:
        form = await read_form(request, "file", arriving)
        if form.file_name is None:
            raise HttpProblem(400, "No file came.", code="missing_file", param="file")
        wish = await run_in_threadpool(lambda: read_wish(form, translates=translates))
        film = await arriving.finish(form.file_name)
    job = await begin(request, wish.wanted.submission(film, film.name, str(here.desk.out)))
    if wish.stream:
        return StreamingResponse(
            spoken(request, job, wish.wanted.answer_language, by_speaker=wish.wanted.diarize),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", "X-Cpw-Job": job},
        )
    report = await ended(request, job)
    found = await run_in_threadpool(read_found, report, wish.wanted.answer_language)
    answer = _written(found, wish)
    answer.headers["X-Cpw-Job"] = job
    return answer


def _written(found: Found, wish: Wish) -> Response:
    match wish.form:
        case "text":
            return Response(f"{found.text}\n", media_type=_TEXT)
        case "srt":
            return Response(found.file("srt"), media_type=_TEXT)
        case "vtt":
            return Response(found.file("vtt"), media_type=_VTT)
        case "verbose_json":
            return JSONResponse(verbose_document(found, wish.task, words=wish.words, segments=wish.segments))
        case "diarized_json":
            return JSONResponse(diarized_document(found))
        case _:
            return JSONResponse(json_document(found))
