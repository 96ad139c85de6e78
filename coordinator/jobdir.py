"""A job's folder: its number, `job.json`, `manifest.json`, and files that become its own by a rename."""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from coordinator.store import JobRow, StepRow
from protocol.artefacts import (
    Artefact,
    check_artefact,
    resolve_inside,
    sync_directory,
    write_json,
)
from protocol.errors import InputError, TransientError
from protocol.schema import to_plain

__all__ = ["accept", "claim_directory", "clear_scratch", "scratch_of", "write_job", "write_manifest"]


def claim_directory(out: Path, user: str, highest_number: Callable[[str], int]) -> tuple[str, Path]:
    """Make the next free job folder and return the job's id with it.

    `out/2026/11/22/asha/0001` belongs to `job-20261122-asha-0001`. `mkdir` is the lock: two submits at
    once, from two stores even, get two folders.
    """
    today = dt.datetime.now().astimezone().date()
    name = re.sub(r"[^A-Za-z0-9_.-]|^\.+", "_", user) or "someone"
    prefix = f"job-{today:%Y%m%d}-{name}-"
    parent = out / f"{today:%Y}" / f"{today:%m}" / f"{today:%d}" / name
    parent.mkdir(parents=True, exist_ok=True)
    number = highest_number(prefix)
    while True:
        number += 1
        directory = parent / f"{number:04d}"
        try:
            directory.mkdir()
        except FileExistsError:
            continue
        try:
            (directory / "logs").mkdir()
            sync_directory(parent)
        except OSError:
            shutil.rmtree(directory, ignore_errors=True)
            raise
        return f"{prefix}{number:04d}", directory


def write_job(directory: Path, facts: dict[str, Any]) -> None:
    """Write `job.json`: what was asked and what serves it."""
    write_json(directory / "job.json", {"version": 1, **to_plain(facts)})


def write_manifest(job: JobRow, steps: Iterable[StepRow]) -> None:
    """Write `manifest.json`: the steps as they stand. For people and scripts; the store is the truth."""
    stages = [
        {
            "name": step.name,
            "stage": step.stage,
            "environment": step.environment,
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
        "stages": stages,
    }
    # Not synced: it can be made again from the store at any time.
    aside = job.directory / ".manifest.json.part"
    aside.write_text(json.dumps(manifest, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    aside.replace(job.directory / "manifest.json")


def scratch_of(step: str, attempt: int) -> str:
    """Return the scratch folder of an attempt, relative to the job folder."""
    return f".scratch/{step}-{attempt}"


def accept(directory: Path, scratch: str, folder: str, artefacts: tuple[Artefact, ...]) -> None:
    """Check every file of a call and rename it into the job folder; called on a thread of its own.

    Raises `InputError` for a path out of the stage's folder, `TransientError` where a file is not what the
    worker said. Renaming twice is harmless: a coordinator that died after it does it again.
    """
    if not artefacts:
        return
    target = resolve_inside(directory, folder)
    source = resolve_inside(directory, scratch)
    target.mkdir(parents=True, exist_ok=True)
    for artefact in artefacts:
        final = resolve_inside(directory, artefact.path)
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
        if made != final:
            final.parent.mkdir(parents=True, exist_ok=True)
            made.replace(final)
    sync_directory(target)
    shutil.rmtree(source, ignore_errors=True)


def clear_scratch(directory: Path) -> None:
    """Remove what attempts have left; when the job has ended, for until then a worker may write there."""
    shutil.rmtree(directory / ".scratch", ignore_errors=True)


def _refuse_link(path: Path) -> None:
    """A link's file is not the job's own: it may change or vanish after it was checked."""
    if path.is_symlink():
        message = f"The file {path} is a link."
        raise InputError(message)
