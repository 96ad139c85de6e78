"""A job's folder as it is read after the job: its film, transcripts, subtitle files and what was heard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from protocol.artefacts import resolve_inside
from protocol.errors import InputError, SchemaError
from protocol.schema import from_plain
from protocol.stages.demux import MediaFacts
from protocol.timeline import Span
from workers.engines.common.names import shown
from workers.text.transcripts import read_file

__all__ = ["JobFolder", "read_job"]


@dataclass(frozen=True, kw_only=True)
class JobFolder:
    """What a job left. Paths are absolute, and those of the job's own files were there when it was read."""

    directory: Path
    job: str
    title: str
    media: Path
    """The film as it was submitted; it may be gone."""
    source_language: str
    transcripts: Mapping[str, Path]
    """Language to cleaned transcript, the source's first; times on the clip's clock."""
    subtitles: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    """Language to format (`srt`, `vtt`, `qc.json` ...) to the file that the job wrote; film's clock."""
    film: Path | None = None
    """The film with its subtitles as tracks."""
    audio: Path | None = None
    """16 kHz, mono, pcm_s16le, on the clip's clock."""
    audio_track: int = 0
    """Which of the film's audio streams that is, counted from 0."""
    speech: tuple[Span, ...] = ()
    """Where speech was heard, on the clip's clock; empty where nobody listened apart from the recogniser."""
    duration_ms: int = 0
    """Length of the film; 0: not known."""
    clip_start_ms: int = 0
    frames_per_second: float | None = None
    shots_ms: tuple[int, ...] = ()
    """Where the film's shots change, on its clock; empty where nobody looked."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What the person set for the stage subtitle."""


def read_job(directory: Path) -> JobFolder:
    """Read `job.json`, `manifest.json` and what they name.

    Raises `InputError` for a folder that is not a job's, or one whose transcript is not made yet.
    """
    job, manifest = _read(directory / "job.json"), _read(directory / "manifest.json")
    files: dict[str, list[Path]] = {}
    transcripts: dict[str, Path] = {}
    subtitles: dict[str, dict[str, Path]] = {}
    for step in manifest.get("stages", []):
        paths = [resolve_inside(directory, each["path"]) for each in step["artefacts"]]
        paths = [each for each in paths if each.is_file()]
        files.setdefault(step["stage"], []).extend(paths)
        if step["stage"] == "translate":
            transcripts.update({each.suffixes[-2][1:]: each for each in paths if len(each.suffixes) > 1})
        elif step["stage"] == "subtitle":
            for each in paths:
                language, suffix = _named(each.name)
                subtitles.setdefault(language, {})[suffix] = each
    spoken = _first(files, "clean", "transcript.json") or _first(files, "align", "transcript.json")
    if spoken is None:
        message = f"{shown(directory)} has no transcript yet."
        raise InputError(message, "Wait until the job is done, or let it go on: cpw status, cpw resume JOB")
    source = read_file(spoken).language
    film = manifest.get("film") or {}
    facts = from_plain(MediaFacts, film["facts"]) if film.get("facts") else None
    return JobFolder(
        directory=directory,
        job=job["job"],
        title=job["title"],
        media=Path(job["input_media"]["path"]),
        source_language=source,
        transcripts={source: spoken, **transcripts},
        subtitles=subtitles,
        film=next(iter(files.get("mux", ())), None),
        audio=_first(files, "demux", "audio.wav"),
        audio_track=film.get("audio_track") or 0,
        speech=_speech(_first(files, "vad", "speech_segments.json")),
        duration_ms=max(
            facts.duration_ms if facts else 0, film.get("clip_start_ms", 0) + film.get("audio_duration_ms", 0)
        ),
        clip_start_ms=film.get("clip_start_ms", 0),
        frames_per_second=facts.frames_per_second if facts else None,
        shots_ms=tuple(film.get("shot_changes_ms") or ()),
        parameters=job.get("parameters", {}).get("subtitle", {}),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        message = f"{shown(path)} cannot be read."
        raise InputError(message, "Name a job, or a job's folder: cpw status") from error


def _first(files: Mapping[str, list[Path]], stage: str, name: str) -> Path | None:
    return next((each for each in files.get(stage, ()) if each.name == name), None)


def _named(name: str) -> tuple[str, str]:
    """Return language and format of `<title>.<language>.<format>`; a title may have dots of its own."""
    suffix = "qc.json" if name.endswith(".qc.json") else name.rsplit(".", 1)[-1]
    return name.removesuffix(f".{suffix}").rsplit(".", 1)[-1], suffix


def _speech(path: Path | None) -> tuple[Span, ...]:
    if path is None:
        return ()
    try:
        return tuple(from_plain(Span, each) for each in _read(path).get("speech", []))
    except SchemaError as error:
        message = f"{shown(path)} does not say where speech is: {error}."
        raise InputError(message, "Listen for speech again: cpw retry JOB --from vad") from error
