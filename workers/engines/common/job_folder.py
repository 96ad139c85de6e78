"""A job folder, read after the job: its film, transcripts, subtitle files and the speech in it.

It may come from another machine or from a stranger. So each of its documents is checked against its form, and
no file name in them may lead out of the folder.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from protocol.artefacts import read_json_as, resolve_inside
from protocol.errors import InputError, SchemaError
from protocol.jobs.quality import Quality
from protocol.languages import read_tag
from protocol.stages import TRANSCRIPT_STAGES
from protocol.stages.demux import MediaFacts
from protocol.stages.subtitle import CueNumbers
from protocol.subtitles.corrections import CORRECTIONS
from protocol.timeline import Span, Speaker, Transcript
from workers.engines.common.names import shown
from workers.engines.common.scripts.convert import in_script
from workers.text.transcripts import read_file

__all__ = ["JobFolder", "SubtitleSettings", "read_job"]

_VERSION = 1
"""The newest version of the documents that this program reads."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")
"""A language code; it becomes part of file names."""


@dataclass(frozen=True, kw_only=True)
class SubtitleSettings(CueNumbers):
    """What the person set for the stage subtitle; None means that the film or the profile decides."""

    profile: str = "netflix"
    karaoke: bool = False
    speaker_colours: bool = False
    speaker_names: Mapping[str, str] = field(default_factory=dict)
    frames_per_second: float | None = None


@dataclass(frozen=True, kw_only=True)
class _Document:
    version: int = _VERSION


_D = TypeVar("_D", bound=_Document)


@dataclass(frozen=True, kw_only=True)
class _Media:
    path: str


@dataclass(frozen=True, kw_only=True)
class _Parameters:
    subtitle: SubtitleSettings = field(default_factory=SubtitleSettings)


@dataclass(frozen=True, kw_only=True)
class _JobDocument(_Document):
    """The fields of `job.json` that are read here."""

    job: str
    title: str
    input_media: _Media
    start_ms: int | None = None
    parameters: _Parameters = field(default_factory=_Parameters)
    quality: Quality | None = None


@dataclass(frozen=True, kw_only=True)
class _File:
    path: str


@dataclass(frozen=True, kw_only=True)
class _Step:
    stage: str
    artefacts: tuple[_File, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _DemuxedFilm:
    """What demux found."""

    facts: MediaFacts | None = None
    audio_track: int = 0
    audio_duration_ms: int = 0
    clip_start_ms: int = 0
    shot_changes_ms: tuple[int, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class _SpeechDocument(_Document):
    """`speech_segments.json`."""

    speech: tuple[Span, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _SubtitleDocument(_Document):
    """What is read of the format `json`."""

    speakers: tuple[Speaker, ...] = ()


@dataclass(frozen=True, kw_only=True)
class _ManifestDocument(_Document):
    """The fields of `manifest.json` that are read here."""

    stages: tuple[_Step, ...] = ()
    film: _DemuxedFilm | None = None


@dataclass(frozen=True, kw_only=True)
class JobFolder:
    """What a job left. Paths are absolute; the job's own files existed when the folder was read."""

    path: Path
    job: str
    title: str
    media: Path
    """The film as it was submitted; it may be gone."""
    source_language: str
    transcripts: Mapping[str, Path]
    """The cleaned transcript of each language, the source language first; times are on the clip's clock."""
    subtitles: Mapping[str, Mapping[str, Path]] = field(default_factory=dict)
    """By language and format (`srt`, `vtt`, `qc.json` ...): the file that the job wrote; film's clock."""
    speaker_names: Mapping[str, str] = field(default_factory=dict)
    """The id of a speaker to its name in the subtitles that the job wrote."""
    film: Path | None = None
    """The film with its subtitles as tracks."""
    cleaning: Path | None = None
    """What was removed from the transcript; times are on the clip's clock."""
    corrections: Path | None = None
    """What a person changed in the subtitles."""
    audio: Path | None = None
    """16 kHz, mono, pcm_s16le, on the clip's clock."""
    audio_track: int = 0
    """The number of that audio stream in the film, counted from 0."""
    speech: tuple[Span, ...] = ()
    """Where VAD heard speech, on the clip's clock; empty if VAD did not run."""
    duration_ms: int = 0
    """The film's length; 0: not known."""
    clip_start_ms: int = 0
    frames_per_second: float | None = None
    shots_ms: tuple[int, ...] = ()
    """Where the film's shots change, on its clock; empty if the job did not look for them."""
    settings: SubtitleSettings = field(default_factory=SubtitleSettings)
    quality: Quality | None = None
    """What to expect by the models that made it; None in a job of an older version."""
    gone: tuple[str, ...] = ()
    """Transcripts that the job made and that no longer exist; paths are relative to the folder."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages that the job has a transcript in, and the scripts it was asked for."""
        scripts = (
            written for written in self.subtitles if written not in self.transcripts and self.has(written)
        )
        return (*self.transcripts, *scripts)

    def has(self, language: str) -> bool:
        """Return whether there is a transcript in the language; in another script it is made of that."""
        return language in self.transcripts or (
            read_tag(language).script != "" and read_tag(language).language in self.transcripts
        )

    def transcript(self, language: str) -> Transcript:
        """Return the transcript in a language, or in another script of it (`hi-Latn`)."""
        if language in self.transcripts:
            return read_file(self.transcripts[language])
        return in_script(read_file(self.transcripts[read_tag(language).language]), language)

    def own(self, name: str) -> Path:
        """Return the folder `name` in the job folder, to write to; raises `InputError` if it is a link."""
        folder = self.path / name
        if folder.is_symlink():
            message = f"{shown(folder)} is a link: what is written there may take another file's place."
            raise InputError(message, "Remove the link.")
        return folder


def read_job(folder: Path) -> JobFolder:
    """Read `job.json`, `manifest.json` and the files that they name.

    Raises `InputError` if the folder is not a job's, or if it has no transcript yet.
    """
    job, manifest = (
        _read(folder / "job.json", _JobDocument),
        _read(folder / "manifest.json", _ManifestDocument),
    )
    files = _files(folder, manifest)
    transcripts = [path for stage in TRANSCRIPT_STAGES for path in files.get(stage, ())]
    spoken = next((path for path in reversed(transcripts) if path.name == "transcript.json"), None)
    if spoken is None:
        message = f"{shown(folder)} has no transcript yet."
        raise InputError(message, "Wait until the job is done, or let it go on: cpw status, cpw resume JOB")
    source = read_file(spoken).language
    if not _LANGUAGE.fullmatch(source):
        message = f"{shown(spoken)} names no language, but {shown(source)!r}."
        raise InputError(message, "Do the stage that made it again: cpw retry JOB --from asr")
    subtitles = _subtitles(files.get("subtitle", ()))
    # An older manifest says nothing about the film: then the clip begins where the person asked.
    film = manifest.film or _DemuxedFilm(clip_start_ms=job.start_ms or 0)
    facts = film.facts
    return JobFolder(
        path=folder,
        job=job.job,
        title=job.title,
        media=Path(job.input_media.path),
        source_language=source,
        transcripts={source: spoken, **_translations(transcripts)},
        subtitles=subtitles,
        speaker_names=_names(subtitles),
        film=next(iter(files.get("mux", ())), None),
        cleaning=_first(files, "clean", "cleaning.json"),
        corrections=corrections if (corrections := folder / CORRECTIONS).is_file() else None,
        audio=_first(files, "demux", "audio.wav"),
        audio_track=film.audio_track,
        speech=_speech(_first(files, "vad", "speech_segments.json")),
        duration_ms=max(facts.duration_ms if facts else 0, film.clip_start_ms + film.audio_duration_ms),
        clip_start_ms=film.clip_start_ms,
        frames_per_second=facts.frames_per_second if facts else None,
        shots_ms=film.shot_changes_ms or (),
        settings=job.parameters.subtitle,
        quality=job.quality,
        gone=tuple(
            artefact.path
            for step in manifest.stages
            for artefact in step.artefacts
            if Path(artefact.path).name.startswith("transcript.") and not (folder / artefact.path).is_file()
        ),
    )


def _read(path: Path, form: type[_D]) -> _D:
    """Return a document; raise `InputError` if it has another form or a later version."""
    try:
        document = read_json_as(form, path)
    except (OSError, ValueError) as error:
        message = f"{shown(path)} cannot be read."
        raise InputError(message, "Name a job, or a job folder: cpw status") from error
    except SchemaError as error:
        message = f"{shown(path)} is not as cpw writes it: {error}."
        raise InputError(message, "Name a job, or a job folder: cpw status") from error
    if document.version > _VERSION:
        message = f"{shown(path)} is of version {document.version}, and this program reads {_VERSION}."
        raise InputError(message, "Use the cpw that made the job, or a later one.")
    return document


def _files(folder: Path, manifest: _ManifestDocument) -> dict[str, list[Path]]:
    """Return the files that exist, by stage; raise `InputError` if a name leads out of the folder."""
    found: dict[str, list[Path]] = {}
    for step in manifest.stages:
        paths = (resolve_inside(folder, artefact.path) for artefact in step.artefacts)
        found.setdefault(step.stage, []).extend(path for path in paths if path.is_file())
    return found


def _translations(files: Iterable[Path]) -> dict[str, Path]:
    """Return the `transcript.<language>.json` of each language."""
    named = ((file.name.split("."), file) for file in files)
    return {parts[-2]: path for parts, path in named if len(parts) > 2 and _LANGUAGE.fullmatch(parts[-2])}


def _subtitles(files: Iterable[Path]) -> dict[str, dict[str, Path]]:
    found: dict[str, dict[str, Path]] = {}
    for file in files:
        language, suffix = _named(file.name)
        found.setdefault(language, {})[suffix] = file
    return found


def _names(subtitles: Mapping[str, Mapping[str, Path]]) -> dict[str, str]:
    """Return the names that the job's subtitles have; none where it wrote no JSON, or a person changed it."""
    for formats in subtitles.values():
        with contextlib.suppress(InputError, KeyError):
            speakers = _read(formats["json"], _SubtitleDocument).speakers
            if speakers:
                return {speaker.id: speaker.name for speaker in speakers if speaker.name}
    return {}


def _first(files: Mapping[str, list[Path]], stage: str, name: str) -> Path | None:
    return next((path for path in files.get(stage, ()) if path.name == name), None)


def _named(name: str) -> tuple[str, str]:
    """Return language and format of `<title>.<language>.<format>`; a title may contain dots."""
    suffix = "qc.json" if name.endswith(".qc.json") else name.rsplit(".", 1)[-1]
    return name.removesuffix(f".{suffix}").rsplit(".", 1)[-1], suffix


def _speech(path: Path | None) -> tuple[Span, ...]:
    return _read(path, _SpeechDocument).speech if path is not None else ()
