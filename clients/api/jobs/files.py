"""Files of jobs: what was made, the film itself, and subtitles in any format.

A path never leaves its job folder.
"""

from __future__ import annotations

import json
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from clients.api.answers import HttpProblem, document
from clients.api.served import find_job, read_json, served
from clients.films import is_utf8
from clients.programs import ask_program
from protocol.jobs.voices import SPEAKERS, VOICES
from protocol.schema import to_plain
from protocol.stages.subtitle import CueNumbers
from protocol.subtitles.export import ExportRequest, ExportResult

__all__ = [
    "ExportWish",
    "export",
    "files",
    "is_file_below",
    "media",
    "one_file",
    "stays_here",
    "track",
]

_TYPES = {
    ".srt": "application/x-subrip",
    ".vtt": "text/vtt",
    ".ttml": "application/ttml+xml",
    ".mkv": "video/x-matroska",
    ".ass": "text/plain",
    ".tsv": "text/tab-separated-values",
}
_STAY_HERE = (VOICES, SPEAKERS)
"""They have embeddings in them, by which a person is known by ear: no address sends them."""
_TEXT = ("text/", "application/x-subrip", "application/json", "application/ttml+xml")


@dataclass(frozen=True, kw_only=True)
class ExportWish:
    """What `cpw export` is told: formats, languages and rules."""

    formats: tuple[str, ...] = ("srt",)
    profile: str = ""
    languages: tuple[str, ...] = ()
    pairs: tuple[tuple[str, str], ...] = ()
    karaoke: bool = False
    settings: CueNumbers = field(default_factory=CueNumbers)
    """Numbers of the profile to change: `{"max_lines": 1}`."""
    overwrite: bool = True


async def files(request: Request) -> Response:
    """Return the files of the job's folder: path, size in bytes, and when it was written."""
    job = await find_job(request)
    found = await run_in_threadpool(_listed, Path(job.directory))
    return document({"files": found, "outputs": [_inside(job.directory, path) for path in job.outputs]})


def _inside(directory: str, path: str) -> str:
    return str(Path(path).relative_to(directory)) if Path(path).is_relative_to(directory) else path


def _listed(folder: Path) -> list[dict[str, Any]]:
    found = []
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or any(part.startswith(".") for part in inner.parts):
            continue
        if not is_utf8(str(inner)) or stays_here(path):
            continue  # no job makes such a file, and no address can name it; or none may
        stat = path.stat()
        found.append({"path": str(inner), "size": stat.st_size, "modified_ms": round(stat.st_mtime * 1000)})
    return found


async def one_file(request: Request) -> Response:
    """Return one file of the job, with ranges."""
    job = await find_job(request)
    return await _send(Path(job.directory), Path(job.directory) / request.path_params["path"])


async def media(request: Request) -> Response:
    """Return the film of the job, with ranges: by the job's id, never by a path."""
    job = await find_job(request)
    film = Path(job.media).resolve()
    return await _send(film.parent, film, inline=True)


async def track(request: Request) -> Response:
    """Return the subtitles of one language in one format, by the rules of `?profile=`: for players."""
    job = await find_job(request)
    language, form = request.path_params["language"], request.path_params["format"]
    wish = ExportWish(formats=(form,), languages=(language,), profile=request.query_params.get("profile", ""))
    result = await _exported(request, job.directory, wish, "tracks")
    path = next((Path(file.path) for file in result.files if file.format == form), None)
    if path is None:
        raise HttpProblem(404, f"The job has no subtitles in {language!r}.", code="no_such_track")
    return await _send(Path(job.directory), path, inline=True)


async def export(request: Request) -> Response:
    """Write subtitles in other formats or by other rules, into `export/http` of the job folder."""
    job = await find_job(request)
    result = await _exported(request, job.directory, await read_json(request, ExportWish), "http")
    found = [{**to_plain(file), "path": _inside(job.directory, file.path)} for file in result.files]
    return document({"files": found, "notes": result.notes})


async def _exported(request: Request, directory: str, wish: ExportWish, folder: str) -> ExportResult:
    if wish.profile and not wish.profile.isalnum():
        raise HttpProblem(400, f"There is no profile {wish.profile!r}.", param="profile")
    wanted = ExportRequest(
        formats=wish.formats,
        profile=wish.profile,
        languages=wish.languages,
        pairs=wish.pairs,
        karaoke=wish.karaoke,
        settings={name: value for name, value in vars(wish.settings).items() if value is not None},
        out=str(Path(directory) / "export" / folder / (wish.profile or "as-the-job")),
        overwrite=wish.overwrite,
    )
    words = [directory, json.dumps(to_plain(wanted))]
    desk = served(request).desk
    return await run_in_threadpool(
        ask_program, desk, "export", words, ExportResult, f"The export of {directory}"
    )


async def _send(folder: Path, path: Path, *, inline: bool = False) -> Response:
    """Return the file's bytes if it lies below the folder: no link leads out."""
    if not await run_in_threadpool(is_file_below, folder, path):
        raise HttpProblem(404, "There is no such file.", code="no_such_file")
    if stays_here(path.resolve()):
        text = f"{path.name} can tell whose voice it is, and stays on this machine."
        raise HttpProblem(403, text, "Times and names of the voices: cpw speakers JOB", code="stays_here")
    kind = (
        _TYPES.get(path.suffix.casefold()) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    )
    if kind.startswith(("text/html", "image/svg")):
        # What a job has made is shown by our pages only, never run as one.
        kind = "text/plain"
    return FileResponse(
        path,
        media_type=kind + ("; charset=utf-8" if kind.startswith(_TEXT) else ""),
        filename=path.name,
        content_disposition_type="inline" if inline else "attachment",
        headers={"Cache-Control": "private, no-cache"},
    )


def stays_here(path: Path) -> bool:
    """Return whether the file is one of those, or half of one; a disk may not know capitals."""
    name = path.name.casefold()
    return name in _STAY_HERE or (name.startswith(".") and any(whole in name for whole in _STAY_HERE))


def is_file_below(folder: Path, path: Path) -> bool:
    """Return whether the path is a file that lies below the folder; links count where they lead."""
    try:
        resolved = path.resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # not there, no path at all, a link to itself
        return False
    return folder.resolve() in resolved.parents and resolved.is_file()
