"""Subtitles put right: what an editor shows, and what a person saves.

A save is one rename of `corrections.json`; then the subtitle step is done again, and with it the film with
its tracks. The files of before are kept in `earlier/` of the job folder.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from clients.api.answers import HttpProblem, document
from clients.api.served import ask, find_job, read_json, served
from clients.programs import ask_program
from protocol.artefacts import write_json
from protocol.job_changes import Changed, RetryJob
from protocol.messages import JobReport
from protocol.schema import to_plain
from protocol.stages import demux, subtitle
from protocol.subtitles.corrections import CORRECTIONS, Correction, Corrections, read_corrections
from protocol.subtitles.review import CorrectionsSaved, NewCorrection, NewCorrections, ReviewAnswer

__all__ = ["copy", "earlier_files", "media_to_play", "review", "save"]

EARLIER = "earlier"
_ENDED = ("done", "failed", "cancelled")
_REMEMBERED = 200
_MOST_MS = 2**40


async def review(request: Request) -> Response:
    """Return what an editor shows of the job: cues, marks, doubts, loudness, the corrections so far."""
    return await _shown(request)


async def copy(request: Request) -> Response:
    """Make a film that browsers play, and return the review; it takes as long as the copy."""
    return await _shown(request, "--copy")


async def _shown(request: Request, *words: str) -> Response:
    job = await find_job(request)
    found = await _reviewed(request, job, *words)
    base = await run_in_threadpool(_base, _file(job))
    return document(to_plain(found) | {"base": base, "job": job.job, "state": job.state})


async def _reviewed(request: Request, job: JobReport, *words: str) -> ReviewAnswer:
    task = f"The review of {job.directory}"
    here = served(request)
    asked = [job.directory, *words]
    found = await run_in_threadpool(ask_program, here.desk, "review", asked, ReviewAnswer, task)
    here.playable.pop(job.job, None)
    here.playable[job.job] = found.playable
    while len(here.playable) > _REMEMBERED:
        here.playable.pop(next(iter(here.playable)))
    return found


async def media_to_play(request: Request) -> Response:
    """Return a film that browsers play, with ranges: the job's own, or a copy made for them."""
    job = await find_job(request)
    # A player asks for many ranges, one after the other.
    path = Path(served(request).playable.get(job.job) or (await _reviewed(request, job)).playable)
    if not path.is_file():
        raise HttpProblem(404, "Nothing is left to play.", code="no_such_file")
    return FileResponse(path, content_disposition_type="inline", filename=path.name)


async def save(request: Request) -> Response:
    """Save corrections and have the job's files made again; a 409 where somebody else saved meanwhile."""
    job = await find_job(request)
    wanted = await read_json(request, NewCorrections)
    _refuse_unknown(job, wanted.language)
    for change in wanted.changes:
        _refuse_wrong(change)
    made = tuple(
        Correction(language=wanted.language, old=change.old, new=change.new) for change in wanted.changes
    )
    if job.state not in _ENDED:
        raise HttpProblem(409, "The job is not done yet.", "Save again when it is.", code="job_not_done")
    total, base = await run_in_threadpool(_save, job, wanted.base, made)
    changed: Changed = await ask(request, RetryJob(job=job.job, stage=subtitle.STAGE.name))
    steps = changed.jobs[0].steps if changed.jobs else ()
    return document(CorrectionsSaved(base=base, count=total, steps=steps))


def _refuse_unknown(job: JobReport, language: str) -> None:
    """Refuse corrections of subtitles that are not there: nobody would ever see them."""
    tracks = [Path(output).with_suffix("").name for output in job.outputs]
    if tracks and not any(name.endswith(f".{language}") for name in tracks):
        raise HttpProblem(400, f"The job has no subtitles in {language!r}.", param="language")


def _refuse_wrong(change: NewCorrection) -> None:
    if not change.old and not change.new:
        raise HttpProblem(400, "A change has neither old cues nor new ones.", param="changes")
    if not all(cue.text.strip() for cue in change.new):
        raise HttpProblem(400, "A new cue has no text.", "Leave it out of `new`.", param="changes")
    for cue in (*change.old, *change.new):
        if not 0 <= cue.start_ms < cue.end_ms < _MOST_MS:
            times = f"{cue.start_ms} to {cue.end_ms} ms"
            raise HttpProblem(400, f"A cue cannot be shown from {times}.", param="changes")


def _save(job: JobReport, base: str, made: Sequence[Correction]) -> tuple[int, str]:
    """Write the file; return how many corrections it has now, and its base.

    One save at a time: the kernel's lock goes with the process that holds it.
    """
    path = _file(job)
    if not path.parent.is_dir():
        text = f"The folder of the job {job.job} is gone."
        raise HttpProblem(410, text, f"cpw retry {job.job} --from {demux.STAGE.name}", code="files_gone")
    with path.with_suffix(".lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise _other_saved() from error
        saved = read_corrections(path).changes if path.exists() else ()
        if _base(path) != base:
            if made and saved[-len(made) :] == tuple(made):
                # Saved before: the answer was lost on its way.
                return len(saved), _base(path)
            raise _other_saved()
        changes = (*saved, *made)
        _keep(job)
        write_json(path, to_plain(Corrections(changes=changes)))
        return len(changes), _base(path)


def _other_saved() -> HttpProblem:
    text = "Somebody else has saved corrections of this film meanwhile."
    return HttpProblem(409, text, "Load it again; what you changed is not saved.", code="corrections_changed")


def _file(job: JobReport) -> Path:
    return Path(job.directory) / CORRECTIONS


def _base(path: Path) -> str:
    """Return a digest of what is saved; empty: nothing yet."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
    except OSError:
        read_corrections(path)  # says what is wrong with it
        raise


def earlier_files(job: JobReport) -> Path:
    """Return the folder that the next save keeps the files of before in: `earlier/1`, `earlier/2`."""
    folder = Path(job.directory) / EARLIER
    numbers = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]
    return folder / str(max(numbers, default=0) + 1)


def _keep(job: JobReport) -> None:
    """Keep the files of before; linked, not copied: a step renames its new file into the old one's place."""
    folder = Path(job.directory)
    kept = earlier_files(job)
    paths = [Path(output) for output in job.outputs]
    for path in (*paths, folder / CORRECTIONS):
        if path.is_relative_to(folder) and path.is_file():
            kept.mkdir(parents=True, exist_ok=True)
            try:
                os.link(path, kept / path.name)
            except OSError:  # a disk without links
                shutil.copy2(path, kept / path.name)
