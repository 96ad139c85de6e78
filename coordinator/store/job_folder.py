"""A job folder: its number, `job.json`, `manifest.json`, and the files of its steps."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from coordinator.store.store import JobRow, StepRow
from protocol.artefacts import (
    KEPT,
    Artefact,
    check_artefact,
    kept_beside,
    resolve_inside,
    sync_directory,
    sync_file,
    write_json,
)
from protocol.errors import InputError, TransientError
from protocol.failpoints import reach
from protocol.jobs.voices import SPEAKERS
from protocol.schema import to_plain
from protocol.subtitles.corrections import CORRECTIONS

__all__ = [
    "accept",
    "claim_folder",
    "clear_attempt",
    "clear_scratch",
    "copy_artefacts",
    "remove_untouched",
    "scratch_of",
    "write_job",
    "write_manifest",
]

_OF_A_SUBMISSION = frozenset({"logs", "job.json", CORRECTIONS, SPEAKERS})
"""What a job folder has before a step has begun."""
_UNFINISHED = re.compile(r"\.(job|corrections|speakers)\.json\.\d+\.part")
_LINKED_FROM_BYTES = 64 * 1024 * 1024
"""Smaller files are copied: a person who edits the subtitles of one job must not change another job's."""


def claim_folder(out: Path, user: str, highest_number: Callable[[str], int]) -> tuple[str, Path]:
    """Make the next free job folder; return the job's id and the folder.

    `out/2026/11/22/asha/0001` belongs to `job-20261122-asha-0001`. `mkdir` is the lock: two submissions at
    the same time, even to two stores, get two folders.
    """
    today = dt.datetime.now().astimezone().date()
    name = re.sub(r"[^A-Za-z0-9_.-]|^\.+", "_", user) or "someone"
    prefix = f"job-{today:%Y%m%d}-{name}-"
    parent = out / f"{today:%Y}" / f"{today:%m}" / f"{today:%d}" / name
    parent.mkdir(parents=True, exist_ok=True)
    number = highest_number(prefix)
    while True:
        number += 1
        job_folder = parent / f"{number:04d}"
        try:
            job_folder.mkdir()
        except FileExistsError:
            continue
        reach("coordinator.submit.folder-made")
        try:
            (job_folder / "logs").mkdir()
            sync_directory(parent)
        except OSError:
            shutil.rmtree(job_folder, ignore_errors=True)
            raise
        reach("coordinator.submit.folder-claimed")
        return f"{prefix}{number:04d}", job_folder


def remove_untouched(job_folder: Path) -> None:
    """Remove a job folder in which no step has left anything; any other folder stays as it is."""
    with contextlib.suppress(OSError):
        names = {path.name for path in job_folder.iterdir()}
        if all(name in _OF_A_SUBMISSION or _UNFINISHED.fullmatch(name) for name in names):
            shutil.rmtree(job_folder)


def write_job(job_folder: Path, facts: dict[str, Any]) -> None:
    """Write `job.json`: what the person asked for, and which environment does each step."""
    write_json(job_folder / "job.json", {"version": 1, **to_plain(facts)})


def write_manifest(job: JobRow, steps: Iterable[StepRow]) -> None:
    """Write `manifest.json`, the states of the steps, for people and scripts. The program reads the store."""
    steps = tuple(steps)
    stages = [
        {
            "name": step.name,
            "stage": step.stage,
            "environment": step.environment,
            "choices": step.choices,
            "reasons": list(step.reasons),
            "status": step.state,
            "attempt": step.attempt,
            "duration_ms": step.duration_ms,
            "note": step.note,
            "error": to_plain(step.error),
            "artefacts": to_plain(step.artefacts),
        }
        for step in steps
    ]
    manifest = {
        "version": 1,
        "job": job.id,
        "status": job.state,
        "created_at": job.created_at,
        "ended_at": job.ended_at,
        "language": job.language,
        "notes": list(job.notes),
        "film": next((_film(step.result) for step in steps if step.stage == "demux" and step.result), None),
        "stages": stages,
    }
    # Not synced to disk: it can be made again from the store at any time.
    reach("coordinator.manifest.begun")
    aside = job.directory / ".manifest.json.part"
    aside.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    reach("coordinator.manifest.written-aside")
    aside.replace(job.directory / "manifest.json")
    reach("coordinator.manifest.renamed")


def _film(demux: dict[str, Any]) -> dict[str, Any]:
    """Return what demux found: programs that read a job folder need it where no daemon runs."""
    names = ("facts", "audio_track", "audio_duration_ms", "clip_start_ms", "shot_changes_ms")
    return {name: demux.get(name) for name in names}


def scratch_of(step: str, attempt: int) -> str:
    """Return the scratch folder of an attempt, relative to the job folder."""
    return f".scratch/{step}-{attempt}"


def copy_artefacts(source: Path, job_folder: Path, artefacts: tuple[Artefact, ...]) -> None:
    """Check files of one job folder and copy them into another; large ones are linked where the disk can.

    Raises `InputError` where a file is missing or was changed since it was made.
    """
    for artefact in artefacts:
        made = resolve_inside(source, artefact.path)
        check_artefact(artefact, made)
        final = resolve_inside(job_folder, artefact.path)
        final.parent.mkdir(parents=True, exist_ok=True)
        aside = final.with_name(f".{final.name}.part")
        aside.unlink(missing_ok=True)
        if artefact.size < _LINKED_FROM_BYTES or not _link(made, aside):
            shutil.copyfile(made, aside)
            sync_file(aside)
        reach("coordinator.reuse.copied-aside")
        aside.replace(final)
        sync_directory(final.parent)
        reach("coordinator.reuse.renamed")


def _link(made: Path, aside: Path) -> bool:
    try:
        aside.hardlink_to(made)
    except OSError:
        return False
    return True


def accept(job_folder: Path, scratch: str, folder: str, artefacts: tuple[Artefact, ...]) -> None:
    """Check every file of a call and rename it into the job folder; runs on a thread of its own.

    Raises `InputError` for a path outside the stage's folder, `TransientError` where a file is not as the
    worker described it. It can run again: a coordinator that died after the renames finds the files in place.
    """
    if not artefacts:
        return
    target = resolve_inside(job_folder, folder)
    source = resolve_inside(job_folder, scratch)
    reach("coordinator.accept.begun")
    target.mkdir(parents=True, exist_ok=True)
    for artefact in artefacts:
        final = resolve_inside(job_folder, artefact.path)
        if target not in final.parents:
            message = f"The path {artefact.path} is not in the folder {folder}."
            raise InputError(message)
        made = source / final.relative_to(target)
        if not made.exists() and final.exists():
            made = final
        try:
            _refuse_link(made)
            check_artefact(artefact, made)
        except InputError as error:
            raise TransientError(error.message) from error
        reach("coordinator.accept.checked")
        if made != final:
            final.parent.mkdir(parents=True, exist_ok=True)
            made.replace(final)
        reach("coordinator.accept.renamed")
    sync_directory(target)
    reach("coordinator.accept.synced")
    shutil.rmtree(source, ignore_errors=True)
    kept = resolve_inside(job_folder, kept_beside(scratch))
    if kept.exists():
        shutil.rmtree(kept, ignore_errors=True)
    reach("coordinator.accept.scratch-removed")


def clear_attempt(job_folder: Path, step: str, attempt: int) -> None:
    """Remove the scratch folder of one attempt, after its worker has reported the end."""
    scratch = job_folder / scratch_of(step, attempt)
    shutil.rmtree(scratch, ignore_errors=True)
    with contextlib.suppress(OSError):
        scratch.parent.rmdir()  # others may be in it


def clear_scratch(job_folder: Path, *, resumable: bool) -> None:
    """Remove the scratch folders of a job that has ended: until then a worker may write there.

    What steps keep for their next attempts stays where the job is `resumable`. Remove also the unfinished
    `job.json` of a coordinator that died while it wrote it.
    """
    for left in job_folder.iterdir() if job_folder.is_dir() else ():
        if left.name == ".scratch":
            _clear(left, resumable=resumable)
        elif _UNFINISHED.fullmatch(left.name):
            left.unlink(missing_ok=True)


def _clear(scratch: Path, *, resumable: bool) -> None:
    for folder in scratch.iterdir() if scratch.is_dir() else ():
        if not (resumable and folder.suffix == KEPT):
            shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):
        scratch.rmdir()  # what is kept may be in it


def _refuse_link(path: Path) -> None:
    """Raise `InputError` for a link: its file may change or vanish after the check."""
    if path.is_symlink():
        message = f"The file {path} is a link."
        raise InputError(message)
