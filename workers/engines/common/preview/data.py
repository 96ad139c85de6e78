"""What a preview page shows, as plain values: tracks with their cues and marks, speech, loudness."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from protocol.artefacts import read_json_as
from protocol.errors import InputError, SchemaError
from protocol.languages import language_name
from protocol.subtitles.formats import FORMATS
from protocol.subtitles.quality import BrokenCue, QualityReport
from protocol.subtitles.rules import QUALITY_RULES
from protocol.timeline import Cue
from workers.engines.common.cues.checking.quality import read_length
from workers.engines.common.formats.reading.files import read_cues
from workers.engines.common.job_folder import JobFolder
from workers.engines.common.names import shown
from workers.engines.common.preview.waveform import STEP_MS, peaks

__all__ = ["page_data"]

DATA_VERSION = 1

_CUE_FILES = [row.name for row in sorted(FORMATS.values(), key=lambda row: row.read_order) if row.read_order]
"""Formats that cues are read from, the best first."""
_TOGETHER_NS = 10 * 10**9
"""A job writes its files within this time; somebody edited a file that is newer."""


def page_data(job: JobFolder) -> dict[str, Any]:
    """Return the data of the page; times are on the film's clock, in ms.

    A track has `cues`: [start, end, graphemes a second or None, lines], in the file's order, with a fifth
    part, the name of each line's speaker, where one is known. It has `marks`: [place of the cue, rule, value,
    limit, kind, reason]; a kind is `broken`, `unavoidable` or `taste`.
    Sentences in `notes` say what is missing or does not fit.
    """
    notes: list[str] = []
    tracks = [
        track
        for language, files in _in_order(job)
        if (track := _track(job, language, files, notes)) is not None
    ]
    if not tracks:
        notes.append("The job has no subtitle files yet.")
    elif not any(track["cues"] for track in tracks):
        notes.append("Nothing is said in this film, as far as was heard.")
    return {
        "version": DATA_VERSION,
        "title": job.title,
        "job": job.job,
        "film": job.media.name,
        "duration_ms": job.duration_ms,
        "frames_per_second": job.frames_per_second,
        "quality": f"{job.quality.grade} quality: {job.quality.why}" if job.quality else "",
        "tracks": tracks,
        "rules": {name: {"words": rule.of_one, "unit": rule.unit} for name, rule in QUALITY_RULES.items()},
        "speech": [
            [span.start_ms + job.clip_start_ms, span.end_ms + job.clip_start_ms] for span in job.speech
        ],
        "wave": _wave(job, notes),
        "notes": notes,
    }


def _in_order(job: JobFolder) -> list[tuple[str, Mapping[str, Path]]]:
    """Return the languages with their files, the spoken one first."""
    return sorted(job.subtitles.items(), key=lambda entry: entry[0] != job.source_language)


def _track(
    job: JobFolder, language: str, files: Mapping[str, Path], notes: list[str]
) -> dict[str, Any] | None:
    path = _cue_file(files)
    if path is None:
        return None
    try:
        cues = read_cues(path, frames_per_second=job.frames_per_second, language=language)
    except InputError as error:
        notes.append(error.message)
        return None
    checked = _report(files.get("qc.json"), notes)
    report = checked or QualityReport()
    marks, strangers = _marks(report, cues)
    if strangers:
        told = f"{strangers} of its marks fit no cue: the file was changed since"
        notes.append(f"{language_name(language)}: {told}. Check it again: cpw qc {shown(path)}")
    return {
        "language": language,
        "name": language_name(language),
        "file": path.name,
        **_makers(job, language),
        "profile": report.profile,
        "checked": checked is not None,
        "sentence": report.sentence,
        "cues": [_row(cue, language) for cue in cues],
        "marks": marks,
    }


def _cue_file(files: Mapping[str, Path]) -> Path | None:
    """Return the file to read cues from: the one that somebody edited, else the first of `_CUE_FILES`."""
    there = [files[file] for file in _CUE_FILES if file in files]
    if not there:
        return None
    newest = max(there, key=lambda path: path.stat().st_mtime_ns)
    is_newer = newest.stat().st_mtime_ns - there[0].stat().st_mtime_ns > _TOGETHER_NS
    return newest if is_newer else there[0]


def _makers(job: JobFolder, language: str) -> dict[str, str]:
    if not job.has(language):
        return {"translated_from": "", "engine": "", "model": ""}
    made = job.transcript(language)
    origin = made.translated_from
    return {
        "translated_from": language_name(origin) if origin else "",
        "engine": made.engine,
        "model": made.model,
    }


def _row(cue: Cue, language: str) -> list[Any]:
    seen = cue.end_ms - cue.start_ms
    speed = round(read_length(cue, language) * 1_000 / seen, 1) if seen > 0 else None
    return [cue.start_ms, cue.end_ms, speed, list(cue.lines), *([list(cue.speakers)] if cue.speakers else [])]


def _report(path: Path | None, notes: list[str]) -> QualityReport | None:
    """Return the quality report beside a subtitle file; None if there is none, or it cannot be read."""
    if path is None:
        return None
    try:
        return read_json_as(QualityReport, path)
    except (OSError, ValueError, SchemaError):
        notes.append(f"{path.name} cannot be read.")
        return None


def _marks(report: QualityReport, cues: Sequence[Cue]) -> tuple[list[list[Any]], int]:
    """Return the marks of a report's violations, by cue, and how many of them fit none of these cues."""
    found: list[list[Any]] = []
    strangers = 0
    for rule in report.rules:
        for cue in rule.cues:
            if 1 <= cue.cue <= len(cues) and _is_of(cues[cue.cue - 1], cue):
                kind = "taste" if rule.informs_only else "unavoidable" if cue.reason else "broken"
                found.append([cue.cue - 1, rule.rule, cue.value, cue.limit, kind, cue.reason])
            else:
                strangers += 1
    found.sort(key=lambda mark: mark[0])
    return found, strangers


def _is_of(cue: Cue, row: BrokenCue) -> bool:
    """Return whether a report's row is about this cue, by its times: SubRip may have lost a spoken `<i>`."""
    return (cue.start_ms, cue.end_ms) == (row.start_ms, row.end_ms)


def _wave(job: JobFolder, notes: list[str]) -> dict[str, Any] | None:
    if job.audio is None:
        notes.append("There is no waveform: the sound that was listened to is gone.")
        return None
    try:
        values = peaks(job.audio)
    except InputError as error:
        notes.append(f"There is no waveform: {error.message}")
        return None
    return {
        "starts_ms": job.clip_start_ms,
        "step_ms": STEP_MS,
        "values": base64.b64encode(values).decode("ascii"),
    }
