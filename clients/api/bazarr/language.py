"""`/detect-language`: what is spoken. A job that knows it answers; else stretches of the film are heard."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from clients.api.answers import HttpProblem
from clients.api.bazarr.asking import PATIENCE_S, Asked, read_asked
from clients.api.served import served
from clients.api.speech.found import name_of_language
from clients.api.speech.wanted import Wanted
from clients.api.waiting import ask_patiently, begin, ended
from protocol.errors import InputError
from protocol.jobs.status import MOST_JOBS
from protocol.messages import JobReport, StatusQuery, StatusReport
from protocol.timeline import UNDETERMINED

__all__ = ["detect", "stretches"]

_CLIP_MS = 30_000
"""What Whisper hears at once."""
_SHARES = (0.5, 0.25, 0.75, 0.1)
"""Where a film is heard: seldom is nobody speaking in its middle, and at its beginning there is music."""
_UNKNOWN_MS = (600_000, 120_000, 0)
"""Where a film of unknown length is heard; one that is shorter is not there."""
_SURE = 0.6


async def detect(request: Request) -> Response:
    """Return which language is spoken in a sound file, as Bazarr asks for it; `und` where nobody can tell."""
    asked = await read_asked(request)
    language, probability = await _known(request, asked) or await _heard(request, asked)
    return JSONResponse(
        {
            "detected_language": name_of_language(language),
            "language_code": language,
            "confidence": round(probability, 4),
        }
    )


async def _known(request: Request, asked: Asked) -> tuple[str, float] | None:
    """Return what a job of the whole file has heard already."""
    answer: StatusReport = await ask_patiently(request, StatusQuery(limit=MOST_JOBS), PATIENCE_S)
    media = str(asked.film.path)
    for job in answer.jobs:
        whole = job.media == media and job.language_probability is not None
        if whole and job.language not in (None, UNDETERMINED):
            return str(job.language), job.language_probability or 0.0
    return None


async def _heard(request: Request, asked: Asked) -> tuple[str, float]:
    """Hear one stretch after the other until one is sure; return the most probable."""
    best = (UNDETERMINED, 0.0)
    places = _asked_for(asked) or stretches(asked.length_ms)
    refused = 0
    for start_ms, end_ms in places:
        if start_ms is end_ms is None and refused < len(places) - 1:
            break  # it was long enough for a stretch, and nothing is said in that
        wanted = Wanted(start_ms=start_ms, end_ms=end_ms)
        submission = wanted.submission(asked.film, asked.title, str(served(request).desk.out))
        job = await begin(request, submission, PATIENCE_S)
        try:
            best = max(best, _vote(await ended(request, job, PATIENCE_S)), key=lambda vote: vote[1])
        except InputError:
            refused += 1
            if refused == len(places):
                raise
        if best[1] >= _SURE:
            break
    return best


def _vote(job: JobReport) -> tuple[str, float]:
    if job.language in (None, UNDETERMINED):
        return UNDETERMINED, 0.0
    # A model that knows one language only gives no probability.
    return str(job.language), 1.0 if job.language_probability is None else job.language_probability


def stretches(length_ms: int | None) -> Sequence[tuple[int | None, int | None]]:
    """Return what is heard of a sound of this length, in that order; None stands for its beginning or end."""
    if length_ms is None:
        found = [(start_ms, start_ms + _CLIP_MS) for start_ms in _UNKNOWN_MS]
        return [*found, (None, None)]
    if length_ms <= 2 * _CLIP_MS:
        return [(None, None)]
    starts = (round(share * (length_ms - _CLIP_MS)) for share in _SHARES)
    return [(start_ms, start_ms + _CLIP_MS) for start_ms in starts]


def _asked_for(asked: Asked) -> Sequence[tuple[int | None, int | None]]:
    """Return the stretch that subgen's options name, in seconds."""
    words = [asked.one(f"detect_lang_{name}") for name in ("offset", "length")]
    if not any(words):
        return []
    if any(word and not (word.isascii() and word.isdecimal() and len(word) < 7) for word in words):
        raise HttpProblem(400, "detect_lang_offset and detect_lang_length are whole seconds.")
    start_ms, length_ms = (int(word or 0) * 1000 for word in words)
    return [(start_ms, start_ms + (length_ms or _CLIP_MS))]
