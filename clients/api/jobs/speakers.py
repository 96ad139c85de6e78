"""The voices of a job over HTTP: who speaks, with their first lines, and what a person calls them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import document
from clients.api.served import ask, find_job, read_json
from clients.voices import SaidLine, first_lines
from protocol.jobs.voices import NamedVoice, NameSpeakers, SpeakersQuery, SpeakersReport

__all__ = ["NewNames", "SpeakersAnswer", "SpokenVoice", "name", "speakers"]


@dataclass(frozen=True, kw_only=True)
class NewNames:
    """What voices are called from now on, in the job and in the films of its series."""

    names: dict[str, str] = field(default_factory=dict)
    """A voice's id to its name; an empty one takes the name away."""


@dataclass(frozen=True, kw_only=True)
class SpokenVoice(NamedVoice):
    """A voice and the first lines that it says."""

    first_lines: tuple[SaidLine, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SpeakersAnswer:
    """The voices of a job. Times are on the film's clock."""

    version: int = 1
    job: str
    series: str
    """Whose next films know the voices that are named here."""
    told_apart: Literal["yes", "later", "no"]
    """Whether it is known who speaks: later, where the job has not come so far; no: nobody asked for it."""
    voices: tuple[SpokenVoice, ...] = ()
    steps: tuple[str, ...] = ()
    """What is done again, with the new names."""


async def speakers(request: Request) -> Response:
    """Return the voices of the job with their names and first lines."""
    job = await find_job(request)
    return await _answer(await ask(request, SpeakersQuery(job=job.job)))


async def name(request: Request) -> Response:
    """Call voices of the job by names, keep them for its series, and have the subtitles made again."""
    job = await find_job(request)
    wanted = await read_json(request, NewNames)
    return await _answer(await ask(request, NameSpeakers(job=job.job, names=wanted.names)))


async def _answer(report: SpeakersReport) -> Response:
    said = await run_in_threadpool(first_lines, report)
    voices = tuple(SpokenVoice(**vars(voice), first_lines=said.get(voice.id, ())) for voice in report.voices)
    return document(
        SpeakersAnswer(
            job=report.job,
            series=report.series,
            told_apart=report.told_apart,
            voices=voices,
            steps=report.steps,
        )
    )
