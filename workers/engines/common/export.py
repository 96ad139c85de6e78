"""Write a job's subtitles again: `python -I -m workers.engines.common.export JOB_FOLDER WISH`.

It is what `cpw export` runs. WISH is a `Wish` as JSON. No model runs: the job's transcripts are cut anew.
Tells its progress on stderr, writes one document to stdout, and ends with 0, or with 2 where nothing could
be written; then the document is `{"error": {...}}`.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from protocol.artefacts import write_whole
from protocol.errors import CpwError, DiskFullError, InputError, UsageError
from protocol.languages import language_name
from protocol.schema import from_plain
from protocol.stages.subtitle import CueNumbers
from protocol.timeline import Transcript
from workers.engines.common.cleaning.clean import read_removals
from workers.engines.common.cues.bilingual import pair
from workers.engines.common.cues.profiles import rules_for
from workers.engines.common.film.burn import Burning, burned_name, draw, prepare
from workers.engines.common.film.probe import probe
from workers.engines.common.job_folder import Asked, JobFolder, read_job
from workers.engines.common.names import safe_stem, shown
from workers.engines.common.one_answer import answer, refusal, teller_here
from workers.engines.common.tracks import Track, check_formats, cut_track, shift
from workers.text.transcripts import read_file

__all__ = ["Export", "Wish", "burned", "export", "main"]

FOLDER = "export"
"""In the job's folder, where files go unless a person says otherwise."""
_OF_CUES = frozenset({"srt", "vtt", "ass", "ttml", "tsv"})
"""Formats that hold cues alone, and so two languages at once."""
_NUMBERS = frozenset(number_field.name for number_field in fields(CueNumbers))


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What to write."""

    formats: tuple[str, ...] = ("srt",)
    profile: str = ""
    """Empty: the job's own, with what was set for it."""
    languages: tuple[str, ...] = ()
    """Empty: every language that the job has."""
    pairs: tuple[tuple[str, str], ...] = ()
    """Languages that share a file, the first above the second."""
    karaoke: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Numbers of the profile to change."""
    out: str = ""
    """Folder to write to; empty: `export` in the job's folder."""
    burn: str = ""
    """Language to render into the picture; empty: none."""
    overwrite: bool = False


@dataclass(frozen=True, kw_only=True)
class Export:
    """A file to be: its name, its bytes, what it is."""

    name: str
    data: bytes
    language: str
    form: str
    cue_count: int
    quality: str = ""


def export(folder: JobFolder, wish: Wish) -> Iterator[Export]:
    """Return the files of a job's tracks; for each track one for each format, and its quality report.

    Raises `UsageError` for a language that the job does not have, a format or profile that there is not.
    """
    check_formats(wish.formats)
    languages = wish.languages or (() if wish.pairs else tuple(folder.transcripts))
    for language in (*languages, *itertools.chain(*wish.pairs)):
        _refuse_unknown(folder, language)
    stem = safe_stem(folder.title)
    for language in languages:
        yield from _files(_track(folder, language, wish), f"{stem}.{language}", wish.formats)
    for first, second in wish.pairs:
        both = _pair(folder, first, second, wish)
        yield from _files(both, f"{stem}.{first}+{second}", wish.formats)


def _refuse_unknown(folder: JobFolder, language: str) -> None:
    if language not in folder.transcripts:
        if lost := [name for name in folder.gone if name.endswith(f"transcript.{language}.json")]:
            message = (
                f"{folder.job} has no transcript in {language_name(language)} any more: {lost[0]} is gone."
            )
            raise InputError(
                message, "Copy the job's whole folder, or translate again: cpw retry JOB --from translate"
            )
        there = ", ".join(folder.transcripts)
        message = f"{folder.job} has no transcript in {language_name(language)}, but in {there}."
        raise UsageError(message, "Name one of these, or submit the film with -t for another.")


def _files(track: Track, stem: str, formats: Sequence[str]) -> Iterator[Export]:
    language = stem.rsplit(".", 1)[-1]
    violations = track.violations()
    quality = track.told(violations)
    for form in dict.fromkeys(formats):
        yield Export(
            name=f"{stem}.{form}",
            data=track.write(form),
            language=language,
            form=form,
            cue_count=len(track.cues),
            quality=quality,
        )
    yield Export(
        name=f"{stem}.qc.json",
        data=track.write_report(violations),
        language=language,
        form="qc.json",
        cue_count=len(track.cues),
    )


def _track(folder: JobFolder, language: str, wish: Wish, **rules: int) -> Track:
    """Return the track of a language; `rules` are numbers that the person's own still win over."""
    asked = folder.asked
    profile, own = _profile(asked, wish)
    track = cut_track(
        shift(read_file(folder.transcripts[language]), folder.clip_start_ms),
        rules_for(
            profile,
            language,
            frames_per_second=asked.frames_per_second or folder.frames_per_second,
            media_duration_ms=folder.duration_ms,
            **{**rules, **own},
        ),
        profile=profile,
        karaoke=wish.karaoke or (asked.karaoke and not wish.profile),
        provenance={"title": folder.title, "job": folder.job},
        shots_ms=folder.shots_ms,
    )
    if folder.cleaning is None:
        return track
    return replace(track, removed=read_removals(folder.cleaning, folder.clip_start_ms))


def _profile(asked: Asked, wish: Wish) -> tuple[str, dict[str, Any]]:
    """Return the profile and the numbers set beside it; a profile that is named starts afresh."""
    if wish.profile:
        return wish.profile, dict(wish.settings)
    set_before = {name: value for name in _NUMBERS if (value := getattr(asked, name)) is not None}
    return asked.profile, {**set_before, **wish.settings}


def _pair(folder: JobFolder, first: str, second: str, wish: Wish) -> Track:
    """Return one track of two languages, a line each unless the person says otherwise."""
    if first == second:
        message = f"A bilingual file has two languages, and {first}+{second} has one."
        raise UsageError(message, "As in --bilingual hi+en.")
    if unfit := [form for form in wish.formats if form not in _OF_CUES]:
        message = f"Two languages cannot share a file of the format {unfit[0]}."
        raise UsageError(message, f"Write some of {', '.join(sorted(_OF_CUES))}.")
    above, below = (_track(folder, language, wish, max_lines=1) for language in (first, second))
    rules = replace(
        above.rules,
        max_line_graphemes=max(above.rules.max_line_graphemes, below.rules.max_line_graphemes),
        max_lines=above.rules.max_lines + below.rules.max_lines,
        # A text stays while the other changes: its cues touch.
        min_gap_ms=0,
        close_gap_ms=0,
    )
    return Track(
        transcript=Transcript(language=first, segments=()),
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


def _write(files: Sequence[Export], target: Path, *, overwrite: bool) -> None:
    """Write the files, none where one of them would take the place of another one's work."""
    there = [file for file in files if (target / file.name).exists()]
    if not overwrite and (other := next((file for file in there if _differs(target, file)), None)):
        message = f"{shown(target / other.name)} is there already, with other contents."
        raise InputError(message, "Write to another folder with --out, or add --overwrite.")
    with _writing_to(target):
        for file in files:
            write_whole(target / file.name, file.data)


@contextlib.contextmanager
def _writing_to(target: Path) -> Iterator[None]:
    """Make the folder; what cannot be written into it is said to be so."""
    try:
        target.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        message = f"{shown(error.filename or target)} cannot be written: {error.strerror}."
        raise InputError(message, "Make room, or write to another folder: --out DIR") from error
    except DiskFullError as error:
        message = f"No space is left on the disk where {shown(target)} is."
        raise InputError(message, "Make room, or write to another folder: --out DIR") from error


def _differs(target: Path, file: Export) -> bool:
    return (target / file.name).read_bytes() != file.data


def _document(files: Sequence[Export], target: Path, folder: JobFolder) -> dict[str, Any]:
    return {
        "job": folder.job,
        "folder": str(target),
        "files": [
            {
                "path": str(target / file.name),
                "language": file.language,
                "format": file.form,
                "cue_count": file.cue_count,
                "quality": file.quality,
            }
            for file in files
        ],
        "notes": [
            f"{name} is gone: what was made of it is missing here, or made without it" for name in folder.gone
        ],
    }


def burned(folder: JobFolder, wish: Wish) -> Burning | None:
    """Return what is to be drawn into the film's picture, checked; None where nothing is.

    Raises `InputError` where the film is gone, `UsageError` and `MissingError` as `prepare` does.
    """
    if not wish.burn:
        return None
    _refuse_unknown(folder, wish.burn)
    # The film that mux wrote has the same picture.
    film = folder.film if folder.film is not None and not folder.media.exists() else folder.media
    return prepare(probe(film), _track(folder, wish.burn, wish).cues, wish.burn)


def _draw(burning: Burning, path: Path, *, overwrite: bool) -> dict[str, Any]:
    """Draw the film's copy with its subtitles; return what is told of it."""
    if path.exists() and not overwrite:
        message = f"{shown(path)} is there already."
        raise InputError(message, "Write to another folder with --out, or add --overwrite.")
    with _writing_to(path.parent):
        draw(burning, path, teller_here())
    return {
        "path": str(path),
        "language": burning.language,
        "format": "mp4",
        "cue_count": None,
        "quality": "",
    }


def main(words: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    directory, text = words
    try:
        wish = from_plain(Wish, json.loads(text), strict=True)
        folder = read_job(Path(directory))
        target = Path(wish.out) if wish.out else folder.own(FOLDER)
        burning = burned(folder, wish)
        files = list(export(folder, wish)) if wish.formats else []
        # What was exported into the job's own folder is made again from the same transcripts at any time.
        overwrite = wish.overwrite or not wish.out
        _write(files, target, overwrite=overwrite)
        document = _document(files, target, folder)
        if burning:
            path = target / burned_name(folder.title, burning.language)
            document["files"].append(_draw(burning, path, overwrite=overwrite))
    except CpwError as error:
        answer(refusal(error))
        return 2
    except OSError as error:
        wrong = InputError(f"{shown(error.filename or directory)} cannot be read: {error.strerror}.")
        answer(refusal(wrong))
        return 2
    except KeyboardInterrupt:
        return 130
    answer(document)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
