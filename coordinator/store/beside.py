"""Subtitles put beside their film, where a job asks for it: as a step's files are accepted.

So it is done whoever has gone away, and done again where the coordinator died meanwhile. What lies there
already and is not of this job is left as it is. A folder that cannot be written to is a note: the job has its
files.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coordinator.store.rows import JobRow
from protocol.artefacts import resolve_inside, sync_directory, sync_file, write_json
from protocol.errors import SchemaError
from protocol.schema import from_plain
from protocol.stages import mux, subtitle
from protocol.subtitles.names import name_beside

__all__ = ["LEDGER", "put_beside"]

LEDGER = "beside.json"
"""In the job folder: which files the job has put beside its film, and their hashes."""
_one_at_a_time = threading.Lock()
"""Two languages of a job may be accepted at once."""
_FORMATS = (".srt", ".ass", ".vtt", ".ttml")
"""The first that was made is put there: players read it best."""


def put_beside(job: JobRow, stage: str, result: Mapping[str, Any]) -> str:
    """Put the subtitles that a step has made beside the film; return a sentence that says what became of it.

    Empty where the job does not ask for it, the stage makes no subtitles, or nothing is said in the film.
    """
    if not job.submit.beside or stage != subtitle.STAGE.name:
        return ""
    try:
        made = from_plain(subtitle.SubtitleResult, dict(result))
    except SchemaError:
        return ""  # a result that breaks its contract is refused where it is committed
    paths = [resolve_inside(job.directory, file.path) for file in made.files]
    source = next((path for ending in _FORMATS for path in paths if path.suffix == ending), None)
    if source is None or not made.cue_count:
        return ""
    film = Path(job.submit.media)
    forced = made.language in job.submit.parameters.get(mux.STAGE.name, {}).get("forced", ())
    place = film.with_name(name_beside(film, made.language, source.suffix, forced=forced))
    try:
        return _put(job.directory, film, source, place)
    except OSError as error:
        return f"{place.name} could not be put beside the film: {error.strerror}."


def _put(job_folder: Path, film: Path, source: Path, place: Path) -> str:
    digest = hashlib.sha256(source.read_bytes()).hexdigest()
    with _one_at_a_time:
        return _put_new(job_folder, film, source, place, digest)


def _put_new(job_folder: Path, film: Path, source: Path, place: Path, digest: str) -> str:
    known = _read_ledger(job_folder)
    there = _digest(place)
    if there is not None and there not in (digest, known.get(str(place))):
        return f"{place.name} lies beside the film already and is not of this job: it was left as it is."
    if there != digest:
        _write(film, source, place, replace=there is not None)
    write_json(job_folder / LEDGER, {"version": 1, "files": {**known, str(place): digest}})
    return f"{place.name} lies beside the film."


def _write(film: Path, source: Path, place: Path, *, replace: bool) -> None:
    """Write aside, then give it its name; who may read the film may read it."""
    aside = place.with_name(f".{place.name}.part")
    try:
        # Others may write to the folder: a link that lies there under this name is not written through.
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(source.read_bytes())
            os.fchmod(file.fileno(), film.stat().st_mode & 0o666 | 0o600)
        sync_file(aside)
        if replace:
            aside.replace(place)
        else:
            _name_new(aside, place)
        sync_directory(place.parent)
    finally:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)


def _name_new(aside: Path, place: Path) -> None:
    """Give the file its name unless another file has it meanwhile."""
    try:
        place.hardlink_to(aside)
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        aside.replace(place)


def _digest(path: Path) -> str | None:
    if not os.path.lexists(path):
        return None
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() and not path.is_symlink() else ""


def _read_ledger(job_folder: Path) -> dict[str, str]:
    try:
        plain = json.loads((job_folder / LEDGER).read_bytes())
    except (OSError, ValueError):
        return {}
    files = plain.get("files") if isinstance(plain, dict) else None
    return {str(path): str(digest) for path, digest in files.items()} if isinstance(files, dict) else {}
