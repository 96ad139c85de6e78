"""Write a job's subtitles again: `python -I -m workers.engines.common.export JOB_FOLDER REQUEST`.

`cpw export` runs it. REQUEST is an `ExportRequest` as JSON. No model runs: the program cuts the job's
transcripts into cues again. It shows its progress on stderr and writes one document to stdout: an
`ExportResult` with exit code 0, or a `Refused` with exit code 2 if it could write nothing.
"""

from __future__ import annotations

import contextlib
import itertools
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from protocol.artefacts import write_whole
from protocol.errors import CpwError, DiskFullError, InputError, UsageError
from protocol.languages import language_name
from protocol.schema import from_json
from protocol.stages.subtitle import CueNumbers
from protocol.subtitles.corrections import read_corrections
from protocol.subtitles.export import ExportedFile, ExportRequest, ExportResult
from protocol.subtitles.formats import FORMATS
from protocol.timeline import Transcript
from workers.engines.common.cleaning.clean import read_removals
from workers.engines.common.cues.bilingual import pair
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.cues.rules import CueRules
from workers.engines.common.film.burn import Burning, burned_name, draw, prepare
from workers.engines.common.film.probe import probe
from workers.engines.common.formats.writing import check_formats
from workers.engines.common.job_folder import JobFolder, SubtitleSettings, read_job
from workers.engines.common.names import safe_stem, shown
from workers.engines.common.one_answer import answer, refusal, teller_here
from workers.engines.common.tracks import Track, called, cut_track, shift

__all__ = ["FileToWrite", "burned", "export", "main"]

FOLDER = "export"
"""The folder in the job folder that files go to, unless a person names another."""
_NUMBERS = frozenset(number_field.name for number_field in fields(CueNumbers))


@dataclass(frozen=True, kw_only=True)
class FileToWrite:
    """One file to write: its name, its bytes, what it is. None is written before all are made."""

    name: str
    data: bytes
    language: str
    format: str
    cue_count: int
    quality: str = ""


def export(folder: JobFolder, request: ExportRequest) -> Iterator[FileToWrite]:
    """Return the files of a job's tracks: each track has one file for each format, and a quality report.

    Raises `UsageError` for a language that the job does not have, and for an unknown format or profile.
    """
    check_formats(request.formats)
    languages = request.languages or (() if request.pairs else folder.languages)
    for language in (*languages, *itertools.chain(*request.pairs)):
        _refuse_unknown(folder, language)
    stem = safe_stem(folder.title)
    for language in languages:
        yield from _files(_track(folder, language, request), f"{stem}.{language}", request.formats)
    for first, second in request.pairs:
        both = _pair(folder, first, second, request)
        yield from _files(both, f"{stem}.{first}+{second}", request.formats)


def _refuse_unknown(folder: JobFolder, language: str) -> None:
    if not folder.has(language):
        if lost := [name for name in folder.gone if name.endswith(f"transcript.{language}.json")]:
            message = (
                f"{folder.job} has no transcript in {language_name(language)} any more: {lost[0]} is gone."
            )
            raise InputError(
                message, "Copy the job's whole folder, or translate again: cpw retry JOB --from translate"
            )
        there = ", ".join(folder.languages)
        message = f"{folder.job} has no transcript in {language_name(language)}, but in {there}."
        raise UsageError(message, "Name one of these, or submit the film with -t for another.")


def _files(track: Track, stem: str, formats: Sequence[str]) -> Iterator[FileToWrite]:
    language = stem.rsplit(".", 1)[-1]
    violations = track.violations()
    quality = track.told(violations)
    for form in dict.fromkeys(formats):
        yield FileToWrite(
            name=f"{stem}.{form}",
            data=track.write(form),
            language=language,
            format=form,
            cue_count=len(track.cues),
            quality=quality,
        )
    yield FileToWrite(
        name=f"{stem}.qc.json",
        data=track.write_report(violations),
        language=language,
        format="qc.json",
        cue_count=len(track.cues),
    )


def _track(folder: JobFolder, language: str, request: ExportRequest, **rules: int) -> Track:
    """Return the track of a language; numbers that the person set win over those in `rules`."""
    settings = folder.settings
    transcript = shift(folder.transcript(language), folder.clip_start_ms)
    transcript = called(
        transcript, {**folder.speaker_names, **settings.speaker_names, **request.speaker_names}
    )
    profile, own = _profile(settings, request)

    def rules_of(spoken: str) -> CueRules:
        return rules_for(
            profile,
            spoken,
            frames_per_second=settings.frames_per_second or folder.frames_per_second,
            media_duration_ms=folder.duration_ms,
            names={speaker.id: speaker.name for speaker in transcript.speakers},
            **{**rules, **own},
        )

    track = cut_track(
        transcript,
        rules_of,
        profile=profile,
        provenance={"title": folder.title, "job": folder.job},
        shots_ms=folder.shots_ms,
        corrections=read_corrections(folder.corrections).changes if folder.corrections is not None else (),
    )
    removed = read_removals(folder.cleaning, folder.clip_start_ms) if folder.cleaning is not None else ()
    karaoke = request.karaoke or (settings.karaoke and not request.profile)
    colours = request.speaker_colours or (settings.speaker_colours and not request.profile)
    return replace(track, karaoke=karaoke, speaker_colours=colours, removed=removed)


def _profile(settings: SubtitleSettings, request: ExportRequest) -> tuple[str, dict[str, Any]]:
    """Return the profile and its numbers; if the request names a profile, the job's numbers do not count."""
    if request.profile:
        return request.profile, dict(request.settings)
    set_before = {name: value for name in _NUMBERS if (value := getattr(settings, name)) is not None}
    return settings.profile, {**set_before, **request.settings}


def _pair(folder: JobFolder, first: str, second: str, request: ExportRequest) -> Track:
    """Return one track of two languages: one line for each, unless the person sets another number."""
    if first == second:
        message = f"A bilingual file has two languages, and {first}+{second} has one."
        raise UsageError(message, "As in --bilingual hi+en.")
    if unfit := [name for name in request.formats if not FORMATS[name].bilingual]:
        message = f"Two languages cannot share a file of the format {unfit[0]}."
        fit = sorted(name for name, row in FORMATS.items() if row.bilingual)
        raise UsageError(message, f"Write some of {', '.join(fit)}.")
    above, below = (_track(folder, language, request, max_lines=1) for language in (first, second))
    rules = replace(
        above.rules,
        max_line_graphemes=max(above.rules.max_line_graphemes, below.rules.max_line_graphemes),
        max_lines=above.rules.max_lines + below.rules.max_lines,
        # A text can stay while the other changes: then its cues touch.
        min_gap_ms=0,
        close_gap_ms=0,
    )
    speakers = {speaker.id: speaker for track in (below, above) for speaker in track.transcript.speakers}
    return Track(
        transcript=Transcript(language=first, segments=(), speakers=tuple(speakers.values())),
        cues=pair(
            above.cues,
            below.cues,
            media_duration_ms=folder.duration_ms,
            least_ms=rules.min_cue_ms,
            gap_ms=above.rules.min_gap_ms,
        ),
        rules=rules,
        profile=above.profile,
        provenance={"title": folder.title, "job": folder.job},
        shared_by=(above, below),
    )


def _write(files: Sequence[FileToWrite], target: Path, *, overwrite: bool) -> None:
    """Write all files; without `overwrite`, write none if one would replace a file with other contents."""
    there = [file for file in files if (target / file.name).exists()]
    if not overwrite and (other := next((file for file in there if _differs(target, file)), None)):
        message = f"{shown(target / other.name)} is there already, with other contents."
        raise InputError(message, "Write to another folder with --out, or add --overwrite.")
    with _writing_to(target):
        for file in files:
            write_whole(target / file.name, file.data)


@contextlib.contextmanager
def _writing_to(target: Path) -> Iterator[None]:
    """Make the folder; raise `InputError` if the folder, or a file in it, cannot be written."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        message = f"{shown(error.filename or target)} cannot be written: {error.strerror}."
        raise InputError(message, "Make room, or write to another folder: --out DIR") from error
    except DiskFullError as error:
        message = f"No space is left on the disk where {shown(target)} is."
        raise InputError(message, "Make room, or write to another folder: --out DIR") from error


def _differs(target: Path, file: FileToWrite) -> bool:
    return (target / file.name).read_bytes() != file.data


def _exported(file: FileToWrite, target: Path) -> ExportedFile:
    return ExportedFile(
        path=str(target / file.name),
        language=file.language,
        format=file.format,
        cue_count=file.cue_count,
        quality=file.quality,
    )


def burned(folder: JobFolder, request: ExportRequest) -> Burning | None:
    """Return what to draw into the film's picture, checked; None if the request asks for nothing.

    Raises `InputError` if the film is gone, and `UsageError` and `MissingError` as `prepare` does.
    """
    if not request.burn:
        return None
    _refuse_unknown(folder, request.burn)
    # The film that mux wrote has the same picture.
    film = folder.film if folder.film is not None and not folder.media.exists() else folder.media
    track = _track(folder, request.burn, request)
    return prepare(probe(film), track.cues, request.burn, track.languages)


def _draw(burning: Burning, path: Path, *, overwrite: bool) -> ExportedFile:
    """Write a copy of the film with the subtitles in its picture."""
    if path.exists() and not overwrite:
        message = f"{shown(path)} is there already."
        raise InputError(message, "Write to another folder with --out, or add --overwrite.")
    with _writing_to(path.parent):
        draw(burning, path, teller_here())
    return ExportedFile(path=str(path), language=burning.language, format="mp4", cue_count=None, quality="")


def carry_out(folder: JobFolder, request: ExportRequest) -> ExportResult:
    """Write all the files that the request asks for, or none."""
    target = Path(request.out) if request.out else folder.own(FOLDER)
    burning = burned(folder, request)
    files = list(export(folder, request)) if request.formats else []
    # Files in the job folder may be replaced: the same transcripts give them again at any time.
    overwrite = request.overwrite or not request.out
    _write(files, target, overwrite=overwrite)
    written = [_exported(file, target) for file in files]
    if burning:
        path = target / burned_name(folder.title, burning.language)
        written.append(_draw(burning, path, overwrite=overwrite))
    return ExportResult(
        job=folder.job,
        folder=str(target),
        files=tuple(written),
        notes=tuple(
            f"{name} is gone: what was made of it is missing here, or made without it" for name in folder.gone
        ),
    )


def main(words: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    job_folder, text = words
    try:
        request = from_json(ExportRequest, text, strict=True)
        result = carry_out(read_job(Path(job_folder)), request)
    except CpwError as error:
        answer(refusal(error))
        return 2
    except OSError as error:
        wrong = InputError(f"{shown(error.filename or job_folder)} cannot be read: {error.strerror}.")
        answer(refusal(wrong))
        return 2
    except KeyboardInterrupt:
        return 130
    answer(result)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
