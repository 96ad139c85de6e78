"""The names of a job's voices: what a person said, and whom the films of its series have made known."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import envspecs
from coordinator.planning import planner
from coordinator.store.rows import JobRow, StepRow
from coordinator.voices.known import KnownVoices
from coordinator.voices.matching import known_names
from coordinator.voices.series import series_of
from protocol.artefacts import read_json_as, write_json
from protocol.errors import CpwError, InputError, SchemaError, UsageError
from protocol.jobs.voices import SPEAKERS, NamedVoice, SpeakerNames, Voices
from protocol.schema import from_plain, to_plain
from protocol.stages.diarize import STAGE, DiarizeResult

__all__ = ["known_here", "name_voices", "names_of", "series_of_job", "voices_of"]

T = TypeVar("T")

log = logging.getLogger(__name__)

_FOLDER = "voices"
_MOST_LETTERS = 60
"""A longer name leaves no room for what is said."""


def known_here() -> KnownVoices:
    """Return the voices that are known on this machine."""
    return KnownVoices(envspecs.state_directory() / _FOLDER)


def series_of_job(job: JobRow) -> str:
    """Return the series of a job's film."""
    title, _ = planner.title_of(job.submit)
    return series_of(title, Path(job.submit.media))


def names_of(job: JobRow, steps: Sequence[StepRow]) -> dict[str, str]:
    """Return the id of each voice that has a name, with it; what is wrong with a file costs names only."""
    try:
        return {voice.id: voice.name for voice in voices_of(job, steps) if voice.name}
    except CpwError as error:
        log.warning("%s: voices have no names: %s", job.id, error)
        return {}


def voices_of(job: JobRow, steps: Sequence[StepRow]) -> tuple[NamedVoice, ...]:
    """Return the voices of a job with their names; none where nobody has told them apart.

    Raises `InputError` for a file that cannot be read.
    """
    result = _diarized(steps)
    if result is None:
        return ()
    said = _said(job.directory)
    heard = _heard(job, result)
    known = known_here().embeddings(series_of_job(job), heard.model)
    # A name that a person has given to one voice of this film is no other's.
    free = {name: embedding for name, embedding in known.items() if name not in said.values()}
    unnamed = [voice for voice in heard.voices if voice.id not in said]
    matched = known_names(unnamed, free)
    found = []
    for speaker in result.speakers:
        name, alike = matched.get(speaker.id, ("", 0.0))
        own = said.get(speaker.id)
        found.append(
            NamedVoice(
                id=speaker.id,
                name=name if own is None else own,
                by="person" if own is not None else "series" if name else "",
                likeness_percent=round(100 * alike) if own is None and name else 0,
                speech_ms=speaker.speech_ms,
            )
        )
    return tuple(found)


def name_voices(job: JobRow, steps: Sequence[StepRow], names: Mapping[str, str]) -> None:
    """Write what a person calls voices of the job, and keep it for the films of its series.

    An empty name takes a name away: the voice has none, whatever the series says. Raises `UsageError` for a
    voice that the job does not have, or a name that cannot be one.
    """
    result = _diarized(steps)
    if result is None:
        message = f"The voices of {job.id} have not been told apart."
        raise UsageError(message, f"cpw-submit {job.submit.media} --with {STAGE.name}")
    ids = [speaker.id for speaker in result.speakers]
    for voice, name in names.items():
        if voice not in ids:
            message = f"{job.id} has no voice {voice!r}; it has {', '.join(ids) or 'none'}."
            raise UsageError(message, f"cpw speakers {job.id}")
        if len(name) > _MOST_LETTERS or not name.isprintable():
            message = f"{name[:_MOST_LETTERS]!r} is not a name: {_MOST_LETTERS} letters on a line at most."
            raise UsageError(message, "Write a shorter one.")
    clean = {voice: " ".join(name.split()) for voice, name in names.items()}
    said = _said(job.directory) | clean
    title, _ = planner.title_of(job.submit)
    known_here().learn(series_of_job(job), job.id, title, _heard(job, result), clean)
    write_json(job.directory / SPEAKERS, to_plain(SpeakerNames(names=said)))


def _diarized(steps: Sequence[StepRow]) -> DiarizeResult | None:
    found = next((step for step in steps if step.stage == STAGE.name and step.state == "done"), None)
    return from_plain(DiarizeResult, found.result) if found is not None and found.result else None


def _heard(job: JobRow, result: DiarizeResult) -> Voices:
    return _read(Voices, job.directory / result.voices.path, f"cpw retry {job.id} --from {STAGE.name}")


def _said(folder: Path) -> dict[str, str]:
    path = folder / SPEAKERS
    return _read(SpeakerNames, path, f"rm {path}").names if path.exists() else {}


def _read(kind: type[T], path: Path, remedy: str) -> T:
    try:
        return read_json_as(kind, path)
    except (OSError, ValueError, SchemaError) as error:
        message = f"The file {path} cannot be read: {error}."
        raise InputError(message, remedy) from error
