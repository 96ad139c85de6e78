"""One of two jobs that are compared: what it was done with, and its transcripts by language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

from clients.asking import ask_coordinator, no_such_job
from clients.desk import Desk
from protocol.errors import InputError, SchemaError, UsageError
from protocol.messages import JobReport, StatusQuery, StatusReport
from protocol.schema import from_plain
from protocol.stages import TRANSCRIPT_STAGES, demux
from protocol.timeline import Segment, Transcript, Word

__all__ = ["Side", "both_sides", "check_same_film", "shifted"]

_T = TypeVar("_T", Segment, Word)
_AGAIN = "Submit the film again."


@dataclass(frozen=True, kw_only=True)
class Side:
    """One job: its report, what each step was done with, and its transcripts by language."""

    report: JobReport
    environments: Mapping[str, Any]
    models: Mapping[str, str]
    transcripts: Mapping[str, Transcript]
    """On the film's clock, of a clip too."""
    spoken: str
    notes: Mapping[str, str] = field(default_factory=dict)
    """What the step that made a language's transcript says of its work."""
    film_bytes: int | None = None
    """The size of the film's file when it was submitted; None: not known."""
    sound: str = ""
    """The digest of the sound that was taken from the film; empty: there is none yet."""


def both_sides(desk: Desk, first: str, second: str) -> tuple[Side, Side]:
    """Return both jobs; `UsageError` for what is no job."""
    answer: StatusReport = ask_coordinator(desk, StatusQuery(jobs=(first, second)))
    if answer.unknown:
        raise no_such_job(answer.unknown[0])
    reports = {job.job: job for job in answer.jobs}
    return _side(reports[first]), _side(reports[second])


def check_same_film(a: Side, b: Side) -> str:
    """Return a note where the film's file was replaced; `UsageError` for jobs of two films.

    A film that was copied or renamed is known by its sound.
    """
    if a.report.media == b.report.media:
        known = None not in (a.film_bytes, b.film_bytes)
        if known and a.film_bytes != b.film_bytes and a.sound != b.sound:
            return f"{a.report.media} was another file when the other job was made"
        return ""
    if a.sound and a.sound == b.sound:
        return ""
    films = f"{Path(a.report.media).name} and {Path(b.report.media).name}"
    message = f"{a.report.job} and {b.report.job} are of two different films: {films}."
    raise UsageError(message, "Name two jobs of one film; two files: cpw compare A.srt --reference B.srt")


def _side(report: JobReport) -> Side:
    folder = Path(report.directory)
    job, manifest = _read(folder / "job.json"), _read(folder / "manifest.json")
    begins_ms = int((manifest.get("film") or {}).get("clip_start_ms") or 0)
    transcripts: dict[str, Transcript] = {}
    notes: dict[str, str] = {}
    spoken = sound = ""
    for step in manifest.get("stages", []):
        for artefact in step["artefacts"]:
            name = Path(artefact["path"]).name
            if step["stage"] in TRANSCRIPT_STAGES and name.startswith("transcript."):
                transcript = shifted(_transcript(folder / artefact["path"]), begins_ms)
                transcripts[transcript.language] = transcript
                notes[transcript.language] = str(step.get("note") or "")
                # The first one is of what was heard; translations follow it.
                spoken = spoken or transcript.language
            elif step["stage"] == demux.STAGE.name and name == "audio.wav":
                sound = str(artefact.get("sha256", ""))
    return Side(
        report=report,
        environments=job.get("environments", {}),
        models={step["name"]: step["model"] for step in job.get("steps", []) if step["model"]},
        transcripts=transcripts,
        spoken=spoken,
        notes=notes,
        film_bytes=job.get("input_media", {}).get("size"),
        sound=sound,
    )


def shifted(transcript: Transcript, by_ms: int) -> Transcript:
    """Return the transcript with all its times later: from a clip's clock to the film's."""
    if not by_ms:
        return transcript

    def later(one: _T) -> _T:
        return replace(one, start_ms=one.start_ms + by_ms, end_ms=one.end_ms + by_ms)

    segments = tuple(
        replace(later(segment), words=tuple(later(word) for word in segment.words))
        for segment in transcript.segments
    )
    return replace(transcript, segments=segments)


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        message = f"{path} cannot be read."
        raise InputError(message, _AGAIN) from error
    return dict(found)


def _transcript(path: Path) -> Transcript:
    try:
        return from_plain(Transcript, _read(path))
    except SchemaError as error:
        message = f"{path} is not a transcript: {error}."
        raise InputError(message, _AGAIN) from error
