"""One HTML page to look at a job with.

`cpw preview` runs `python -I -m workers.engines.common.preview JOB_FOLDER [--out FILE] --json`. The page
holds everything but the film, and nothing in it can reach a network. The program shows on stderr how far a
copy of the film is. It writes one line, or with `--json` one document, to stdout. The exit code is 0, or 2 if
there is no page; then the document is `{"error": {...}}`.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import html
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from protocol.artefacts import write_whole
from protocol.errors import CpwError, InputError
from protocol.subtitles.preview import PreviewMedia, PreviewResult, PreviewTrack
from workers.engines.common.job_folder import JobFolder, read_job
from workers.engines.common.names import safe_stem, shown
from workers.engines.common.one_answer import Tell, answer, refusal, tell_line
from workers.engines.common.preview.data import page_data
from workers.engines.common.preview.film import Playable, find_playable, relative_url

__all__ = ["main", "preview", "render"]

FOLDER = "preview"
"""The folder in the job folder for the copy of a film, and for the page unless a person says otherwise."""
_PARTS = Path(__file__).with_name("assets")
_SCRIPTS = ("marks.js", "timeline.js", "cues.js", "player.js", "page.js")
_UNSAFE = {ord(character): f"\\u{ord(character):04x}" for character in "<>&\u2028\u2029"}
"""What could end a script element, or a line in one; in JSON text, it is only inside strings."""


def preview(job_folder: Path, *, out: Path | None = None, tell: Tell) -> PreviewResult:
    """Write the page of the job in `job_folder` and return what it shows.

    `out` is the page's own path. Raises `InputError` if the folder is not a job's or has no transcript, or if
    the film cannot be copied; `MissingError` without ffmpeg.
    """
    job = read_job(job_folder.resolve())
    folder = job.own(FOLDER)
    page = (out if out is not None else folder / f"{safe_stem(job.title)}.html").absolute()
    data = page_data(job)
    try:
        page.parent.mkdir(parents=True, exist_ok=True)
        media = find_playable(job, folder, tell)
        data["media"] = None if media is None else _media(media, page)
        data["notes"] += _missing(job, media)
        write_whole(page, render(data).encode("utf-8", "replace"))
    except OSError as error:
        message = f"{shown(error.filename or page)} cannot be written: {error.strerror}."
        raise InputError(message, "Write the page elsewhere: --out FILE") from error
    return _result(data, page, media)


def render(data: Mapping[str, Any]) -> str:
    """Return the page as HTML: `data` as JSON that cannot end a script element, and what shows it.

    A policy names the style and the script by their digests. It lets the page fetch only the film, from where
    the page itself is.
    """
    style = (_PARTS / "page.css").read_text(encoding="utf-8")
    script = "\n".join((_PARTS / script).read_text(encoding="utf-8") for script in _SCRIPTS)
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; media-src 'self' file:; "
        f"style-src '{_digest(style)}'; script-src '{_digest(script)}'"
    )
    return Template((_PARTS / "page.html").read_text(encoding="utf-8")).substitute(
        policy=policy,
        title=html.escape(str(data["title"])),
        style=style,
        script=script,
        data=json.dumps(data, ensure_ascii=False, separators=(",", ":")).translate(_UNSAFE),
    )


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"


def _media(media: Playable, page: Path) -> dict[str, Any]:
    return {
        "url": relative_url(media.path, page),
        "file": media.path.name,
        "kind": media.kind,
        "starts_ms": media.starts_ms,
        "has_picture": media.has_picture,
    }


def _missing(job: JobFolder, media: Playable | None) -> list[str]:
    if media is None:
        return [f"There is nothing to play: {shown(job.media)} and what the job made of it are gone."]
    if media.kind == "sound":
        return [f"There is only sound to play: {shown(job.media)} is gone."]
    return []


def _result(data: Mapping[str, Any], page: Path, media: Playable | None) -> PreviewResult:
    return PreviewResult(
        page=str(page.resolve()),
        title=data["title"],
        media=None if media is None else PreviewMedia(file=str(media.path), kind=media.kind),
        tracks=tuple(
            PreviewTrack(
                language=track["language"], cue_count=len(track["cues"]), mark_count=len(track["marks"])
            )
            for track in data["tracks"]
        ),
        has_waveform=data["wave"] is not None,
        notes=tuple(data["notes"]),
    )


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="preview", description="Write a page to look at a job.")
    parser.add_argument("job_folder", type=Path)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(words)
    try:
        result = preview(asked.job_folder, out=asked.out, tell=tell_line)
    except CpwError as error:
        answer(refusal(error) if asked.json else error.message)
        return 2
    except KeyboardInterrupt:
        return 130
    answer(result if asked.json else result.page)
    return 0
