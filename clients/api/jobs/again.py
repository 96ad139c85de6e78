"""A stretch recognised again, a line translated again, while a person waits; the job stays as it is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from clients.api.answers import document
from clients.api.served import ask, find_job, read_json
from clients.api.waiting import Gone, ended
from protocol.artefacts import read_json_as
from protocol.errors import UsageError
from protocol.job_changes import CancelJobs
from protocol.jobs.trial import TrialBegun, TrialQuery
from protocol.languages import find_tag, language_name
from protocol.stages import asr, translate
from protocol.timeline import Segment, Transcript

__all__ = ["Again", "again"]


@dataclass(frozen=True, kw_only=True)
class Again:
    """What is to be done again. Times are on the film's clock."""

    start_ms: int
    end_ms: int
    text: str = ""
    """The line to be translated; without it the stretch is recognised."""
    target_language: str = ""
    model: str = ""
    """Another model than the job's."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Other fields of the stage: `{"beam_size": 10}`."""


def _target(written: str) -> str:
    """Return the language to translate into; a track in another script has no translation of its own."""
    if not written:
        return ""
    tag = find_tag(written)
    if tag.script:
        message = (
            f"A line is translated into {language_name(tag.language)}, not into {language_name(str(tag))}."
        )
        raise UsageError(message, f"Ask for {tag.language}; cpw export writes it in the other script again.")
    return tag.language


async def again(request: Request) -> Response:
    """Recognise a stretch again, or translate a line again, and return the transcript of it."""
    job = await find_job(request)
    wanted = await read_json(request, Again)
    stage = translate.STAGE.name if wanted.text else asr.STAGE.name
    fields = dict(wanted.settings)
    if wanted.model:
        fields["model"] = wanted.model
    target = _target(wanted.target_language)
    trial: TrialBegun = await ask(
        request,
        TrialQuery(
            job=job.job,
            stage=stage,
            start_ms=wanted.start_ms,
            end_ms=wanted.end_ms,
            target_language=target,
            text=wanted.text,
            parameters={stage: fields} if fields else {},
        ),
    )
    try:
        await ended(request, trial.job)
    except Gone:
        # Nobody waits for it: a worker has better things to do.
        await ask(request, CancelJobs(jobs=(trial.job,)))
        raise
    found = await run_in_threadpool(read_json_as, Transcript, Path(trial.transcript), nan=True)
    return document(_on_the_film(found, trial.clip_start_ms))


def _on_the_film(transcript: Transcript, offset_ms: int) -> Transcript:
    """Return the transcript with the clip's start added to every time."""
    return replace(transcript, segments=tuple(_moved(segment, offset_ms) for segment in transcript.segments))


def _moved(segment: Segment, offset_ms: int) -> Segment:
    words = tuple(
        replace(word, start_ms=word.start_ms + offset_ms, end_ms=word.end_ms + offset_ms)
        for word in segment.words
    )
    start_ms, end_ms = segment.start_ms + offset_ms, segment.end_ms + offset_ms
    return replace(segment, start_ms=start_ms, end_ms=end_ms, words=words)
