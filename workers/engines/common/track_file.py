"""The cues of one subtitle file: `python -I -m workers.engines.common.track_file FILE`, for `cpw compare`.

With `--job` the word is a job's folder, and the file is its track of `--language`. Writes a `TrackFile` to
stdout, or a `Refused` with exit code 2.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from protocol.errors import CpwError, InputError, UsageError
from protocol.languages import find_tag, language_name
from protocol.subtitles.comparing import TrackFile
from protocol.subtitles.formats import FORMATS
from protocol.timeline import UNDETERMINED, Cue
from workers.engines.common.formats.reading.file_names import language_in_name
from workers.engines.common.formats.reading.files import read_subtitles
from workers.engines.common.job_folder import read_job
from workers.engines.common.names import shown
from workers.engines.common.one_answer import answer, refusal
from workers.text.languages.model import has_library, judge_at
from workers.text.languages.stretches import Line, main_language
from workers.text.languages.telling import Judge

__all__ = ["main", "read_job_track", "read_track"]

_BY_READING = sorted((row.read_order, name) for name, row in FORMATS.items() if row.read_order)


def read_track(file: Path, *, language: str = "", judge: Judge | None = None) -> TrackFile:
    """Return the cues of a file; `language`, its name or, by `judge`, its text tells the language.

    Raises `InputError` for a file that cannot be read, `UsageError` for a language that there is not.
    """
    written = str(find_tag(language)) if language else language_in_name(file)
    hint = "" if written == UNDETERMINED else written
    told_by = "option" if language else "name" if hint else ""
    subtitles = read_subtitles(file, language=hint)
    cues = _filled(subtitles.cues)
    lines = [Line(place=place, text="\n".join(cue.lines), language="") for place, cue in enumerate(cues)]
    of_text = main_language(lines, judge) if judge is not None and lines else ""
    return TrackFile(
        file=str(file.absolute()),
        format=subtitles.format,
        language=hint or of_text or UNDETERMINED,
        language_by=told_by or ("text" if of_text else ""),
        text_language=of_text,
        cues=cues,
    )


def read_job_track(folder: Path, language: str, *, judge: Judge | None = None) -> TrackFile:
    """Return the cues of a job's track. `UsageError` where the job has none in the language."""
    job = read_job(folder)
    tracks = {name: file for name, files in job.subtitles.items() if (file := _readable(files))}
    if not tracks:
        message = f"{job.job} has no subtitle file that can be read."
        raise InputError(message, f"Write one: cpw export {job.job} --out FOLDER, then compare that file.")
    if language not in tracks:
        message = f"{job.job} has no subtitles in {language_name(language)}."
        if job.has(language):
            export = f"cpw export {job.job} -l {language} -o FOLDER"
            raise UsageError(message, f"It has the text: {export}, then compare that file.")
        has = ", ".join(f"{name} ({language_name(name)})" for name in tracks)
        raise UsageError(message, f"It has: {has}. If the file is in one of these, say so: -l LANG")
    found = read_track(tracks[language], language=language, judge=judge)
    return TrackFile(**{**vars(found), "language_by": "job"})


def _readable(files: Mapping[str, Path]) -> Path | None:
    return next((files[name] for _, name in _BY_READING if name in files), None)


def _filled(cues: Sequence[Cue]) -> tuple[Cue, ...]:
    filled = [cue for cue in cues if any(line.strip() for line in cue.lines)]
    return tuple(sorted(filled, key=lambda cue: (cue.start_ms, cue.end_ms)))


def main(words: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    parser = argparse.ArgumentParser(prog="track_file", description="Read one subtitle file.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--job", action="store_true", help="The word is a job's folder.")
    parser.add_argument("--language", default="")
    parser.add_argument("--language-model", type=Path, help="Its folder; without it the text is not judged.")
    asked = parser.parse_args(words)
    try:
        folder = asked.language_model
        judge = judge_at(folder) if folder is not None and has_library() else None
        if asked.job:
            answer(read_job_track(asked.file, asked.language, judge=judge))
        elif not asked.file.is_file():
            message = f"{shown(asked.file)} is not there, or is no file."
            raise InputError(message, "Name a subtitle file.")
        else:
            answer(read_track(asked.file, language=asked.language, judge=judge))
    except CpwError as error:
        answer(refusal(error))
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
