"""Jobs over HTTP: what the shell can do with them, with the same documents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from clients.api.answers import HttpProblem, document
from clients.api.door.places import allowed_path, lies_inside
from clients.api.events import MOST_STREAMS
from clients.api.jobs.uploads import upload_path
from clients.api.served import Served, ask, find_job, read_json, served
from clients.asking import ask_newest
from clients.log_files import last_lines
from clients.settings import parse_settings
from clients.submission import Written, read_submissions
from protocol.clock import parse_age_ms
from protocol.errors import CpwError, InputError, UsageError
from protocol.job_changes import CancelJobs, PruneJobs, ResumeJobs, RetryJob
from protocol.jobs.glossary import Term
from protocol.messages import (
    ChangesQuery,
    DryRun,
    StatusReport,
    Submit,
    Submitted,
)
from protocol.stages import WORKFLOWS

__all__ = [
    "NewJobs",
    "PruneWish",
    "RetryFrom",
    "SubmitAnswer",
    "cancel",
    "dry_run",
    "events",
    "list_jobs",
    "log",
    "one_job",
    "prune",
    "resume",
    "retry",
    "submissions_of",
    "submit",
]

_MOST_LOG_LINES = 10_000
_LONG_NUMBER = 19
"""Digits that no number of 64 bits has; Python reads none of over 4,300."""


@dataclass(frozen=True, kw_only=True)
class NewJobs:
    """Films to be subtitled, and how: the options of `cpw submit` by their long names."""

    workflow: str
    media: tuple[str, ...] = ()
    """Paths below the folders that `CPW_MEDIA` names: files, folders and patterns."""
    upload: str = ""
    """Instead of paths: the id that an upload was answered with."""
    source_language: str | None = None
    target_languages: tuple[str, ...] = ()
    audio_track: str | None = None
    start: str | None = None
    end: str | None = None
    title: str | None = None
    year: int | None = None
    burn: str | None = None
    set: dict[str, Any] = field(default_factory=dict)
    """`{"asr.model": "small"}`."""
    env: dict[str, str] = field(default_factory=dict)
    with_stages: tuple[str, ...] = ()
    without_stages: tuple[str, ...] = ()
    again: bool = False
    hold: bool = False
    priority: int | None = None
    debug: bool = False
    beside: bool = False
    """Put the subtitles beside the film, too."""
    glossary: tuple[Term, ...] = ()
    """How names and terms are written; what stands beside the films counts after it."""
    key: str = ""
    """The same key again is answered with the job that there is; with one film only."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """A film that is no job, and why."""

    media: str
    message: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class SubmitAnswer:
    """What became of the films."""

    jobs: tuple[Submitted, ...]
    refused: tuple[Refusal, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RetryFrom:
    """From which stage or step a job is done again."""

    stage: str
    set: dict[str, Any] = field(default_factory=dict)
    """Settings that are changed: `{"asr.model": "small"}`."""


@dataclass(frozen=True, kw_only=True)
class PruneWish:
    """Which jobs are to be removed with their folders; all is said, nothing is taken for granted."""

    older_than: str
    states: tuple[str, ...]
    dry_run: bool


async def list_jobs(request: Request) -> Response:
    """Return the newest jobs, and the revision of the job store from which a stream goes on."""
    limit = _number(request, "limit", 50, 1, 10_000)
    before = request.query_params.get("before", "")
    revision = (await ask(request, ChangesQuery())).revision
    answer = await run_in_threadpool(_newest, served(request), limit, before)
    return document({"jobs": answer.jobs, "left_ms": answer.left_ms, "revision": revision})


def _newest(here: Served, limit: int, before: str) -> StatusReport:
    with here.desk.connect(here.desk.runtime) as asker:
        return ask_newest(asker, limit, before)


async def one_job(request: Request) -> Response:
    """Return one job with its steps."""
    return document({"jobs": (await find_job(request),)})


async def submit(request: Request) -> Response:
    """Make a job of each film: 201 where there is one, 422 where every film was refused."""
    wanted = await read_json(request, NewJobs)
    notes, submissions = await run_in_threadpool(submissions_of, served(request), wanted)
    answer = await _send(request, submissions)
    return document(replace(answer, notes=(*notes, *answer.notes)), 201 if answer.jobs else 422)


async def dry_run(request: Request) -> Response:
    """Return what would be done for these films; nothing is submitted."""
    wanted = await read_json(request, NewJobs)
    _, submissions = await run_in_threadpool(submissions_of, served(request), wanted)
    return document(await ask(request, DryRun(submissions=tuple(submissions))))


def submissions_of(here: Served, wanted: NewJobs) -> tuple[tuple[str, ...], list[Submit]]:
    """Return notes and the submissions that are meant; raises `UsageError` with all that is wrong."""
    if bool(wanted.media) == bool(wanted.upload):
        raise UsageError("Name films by `media`, or one by `upload`.")
    if wanted.workflow not in WORKFLOWS:
        raise UsageError(f"There is no workflow {wanted.workflow!r}.", f"One of {', '.join(WORKFLOWS)}.")
    if wanted.upload:
        films = [str(upload_path(here.uploads, wanted.upload))]
    else:
        films = [str(allowed_path(here.settings, path)) for path in wanted.media]
    written = Written(
        media=tuple(films),
        workflow=wanted.workflow,
        source=wanted.source_language,
        targets=wanted.target_languages,
        audio_track=wanted.audio_track,
        start=wanted.start,
        end=wanted.end,
        title=wanted.title,
        year=wanted.year,
        burn=wanted.burn,
        settings=_settings(wanted.set),
        environments=tuple(f"{name}={value}" for name, value in wanted.env.items()),
        with_stages=wanted.with_stages,
        without_stages=wanted.without_stages,
        debug=wanted.debug,
        again=wanted.again,
        hold=wanted.hold,
        priority=wanted.priority,
        beside=wanted.beside,
        terms=wanted.glossary,
    )
    reading = read_submissions(written, here.desk.out)
    if reading.problems:
        remedies = " ".join(dict.fromkeys(problem.remedy for problem in reading.problems if problem.remedy))
        raise UsageError(" ".join(problem.message for problem in reading.problems), remedies)
    submissions, notes = list(reading.submissions), reading.notes
    if not wanted.upload:
        submissions, outside = _inside(here, submissions)
        notes = (*notes, *outside)
    if wanted.key:
        if len(submissions) != 1:
            raise UsageError("A `key` is for one film.")
        submissions = [replace(submissions[0], key=wanted.key)]
    refused = tuple(f"{film.media}: {error.message}" for film, error in reading.refused)
    return (*notes, *refused), submissions


def _inside(here: Served, submissions: list[Submit]) -> tuple[list[Submit], tuple[str, ...]]:
    """Leave out films to which links of a folder lead, outside of what may be read, with a note of each."""
    kept = [film for film in submissions if lies_inside(here.settings, Path(film.media))]
    if submissions and not kept:
        # Then it is as if a film outside had been named.
        allowed_path(here.settings, submissions[0].media)
    left = (film.media for film in submissions if film not in kept)
    return kept, tuple(f"{film}: a link leads to it, out of the folders that may be read." for film in left)


async def _send(request: Request, submissions: list[Submit]) -> SubmitAnswer:
    jobs: list[Submitted] = []
    refused: list[Refusal] = []
    for submission in submissions:
        try:
            jobs.append(await ask(request, submission))
        except InputError as error:
            refused.append(Refusal(media=submission.media, message=error.message, remedy=error.remedy))
        except CpwError as error:
            if not jobs:
                raise
            # Some are jobs already: the answer must name them.
            refused.append(Refusal(media=submission.media, message=error.message, remedy=error.remedy))
            break
    notes = tuple(dict.fromkeys(note for job in jobs for note in job.notes))
    return SubmitAnswer(jobs=tuple(jobs), refused=tuple(refused), notes=notes)


async def cancel(request: Request) -> Response:
    """Stop the job; its finished steps stay."""
    job = await find_job(request)
    return document(await ask(request, CancelJobs(jobs=(job.job,))))


async def resume(request: Request) -> Response:
    """Go on with a job that failed, was cancelled or is held."""
    job = await find_job(request)
    return document(await ask(request, ResumeJobs(jobs=(job.job,), everything=False)))


async def retry(request: Request) -> Response:
    """Do a stage of the job again, and everything that depends on it."""
    job = await find_job(request)
    wanted = await read_json(request, RetryFrom)
    parameters = parse_settings(_settings(wanted.set))
    return document(await ask(request, RetryJob(job=job.job, stage=wanted.stage, parameters=parameters)))


async def prune(request: Request) -> Response:
    """Remove jobs that have ended, with their folders; ask again while `more` is true."""
    wanted = await read_json(request, PruneWish)
    age_ms = parse_age_ms(wanted.older_than)
    if age_ms is None:
        raise UsageError(f"{wanted.older_than!r} is not an age.", "Write 30d, 12h, 90min or 0s.")
    question = PruneJobs(older_than_ms=age_ms, states=wanted.states, dry_run=wanted.dry_run)
    return document(await ask(request, question))


async def log(request: Request) -> Response:
    """Return the last lines of the job's log, all its stages together, as text."""
    job = await find_job(request)
    limit = _number(request, "lines", 200, 1, _MOST_LOG_LINES)
    lines = await run_in_threadpool(_log_lines, Path(job.directory) / "logs", limit)
    return PlainTextResponse("".join(f"{line}\n" for line in lines))


def _log_lines(folder: Path, limit: int) -> list[str]:
    found: list[str] = []
    for path in sorted(folder.glob("*.log"), key=lambda path: path.stat().st_mtime):
        found += [f"{path.stem}: {line}" for line in last_lines(path, limit)]
    return found[-limit:]


async def events(request: Request) -> Response:
    """Return the stream of changes; `Last-Event-ID` or `?after=` says what was seen last."""
    changes = served(request).changes
    if request.method == "HEAD":
        # The stream itself has no end.
        return Response(media_type="text/event-stream")
    if changes.streams >= MOST_STREAMS:
        text = f"{MOST_STREAMS} pages listen already."
        raise HttpProblem(503, text, "Close one, then load this one again.", code="too_many_streams")
    word = request.headers.get("last-event-id") or request.query_params.get("after", "")
    after = int(word) if word.isascii() and word.isdecimal() and len(word) < _LONG_NUMBER else None
    return StreamingResponse(
        changes.stream(after), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


def _number(request: Request, name: str, default: int, least: int, most: int) -> int:
    word = request.query_params.get(name, "")
    if not word:
        return default
    is_number = word.isascii() and word.isdecimal() and len(word) < _LONG_NUMBER
    if not is_number or not least <= int(word) <= most:
        raise UsageError(f"{name}={word!r} is not a number from {least} to {most}.")
    return int(word)


def _settings(given: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{name}={_word(value)}" for name, value in given.items())


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
