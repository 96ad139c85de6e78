"""The names of a job's voices: what a person said, and whom the films of its series have made known."""

from __future__ import annotations

import errno
import logging
import shlex
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import envspecs
from coordinator.planning import planner
from coordinator.store.rows import JobRow, StepRow
from coordinator.voices.known import KnownVoices
from coordinator.voices.matching import known_names, said_names
from coordinator.voices.series import series_of
from protocol.artefacts import read_json_as, write_json
from protocol.errors import CpwError, DiskFullError, InputError, SchemaError, UsageError
from protocol.jobs.voices import SPEAKERS, KnownVoice, NamedVoice, SaidName, SpeakerNames, Voices
from protocol.schema import from_plain, to_plain
from protocol.stages.diarize import STAGE, DiarizeResult

__all__ = ["forget_known", "known_here", "name_voices", "names_of", "series_of_job", "voices_of"]

T = TypeVar("T")

log = logging.getLogger(__name__)

_FOLDER = "voices"
_MOST_LETTERS = 60
"""A longer name leaves no room for what is said."""
_JOINERS = "\u200c\u200d"
"""Without a picture of their own; Indic and Persian names are written with them."""
_DIRECTIONS = dict.fromkeys(
    map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
)
"""They come with a name that is pasted, and are no part of it."""
_MOST_NAMES = 1_000
"""So many voices no film has: what is sent is bounded."""


def known_here() -> KnownVoices:
    """Return the voices that are known on this machine."""
    return KnownVoices(envspecs.state_directory() / _FOLDER)


def series_of_job(job: JobRow) -> str:
    """Return the series of a job's film."""
    title, _ = planner.title_of(job.submit)
    return series_of(title, Path(job.submit.media))


def names_of(job: JobRow, steps: Sequence[StepRow]) -> dict[str, str]:
    """Return the id of each voice that has a name, with it; a file that is wrong costs its names only."""
    try:
        heard = _heard(job, steps)
        if heard is None:
            return {}
        return {
            voice.id: voice.name for voice in _named(job, heard, _known_or_none(job, heard)) if voice.name
        }
    except CpwError as error:
        log.warning("%s: voices have no names: %s", job.id, error)
        return {}


def voices_of(job: JobRow, steps: Sequence[StepRow]) -> tuple[NamedVoice, ...]:
    """Return the voices of a job with their names; none where nobody has told them apart.

    Raises `InputError` for a file that cannot be read.
    """
    heard = _heard(job, steps)
    return () if heard is None else _named(job, heard, _known(job, heard))


def name_voices(job: JobRow, steps: Sequence[StepRow], names: Mapping[str, str]) -> None:
    """Write what a person calls voices of the job, and keep it for the films of its series.

    An empty name takes a name away: the voice has none, whatever the series says. Raises `UsageError` for a
    voice that the job does not have, or a name that cannot be one; `InputError` or `DiskFullError` where a
    file cannot be read or written.
    """
    heard = _heard(job, steps)
    if heard is None:
        raise _not_told(job, steps)
    _refuse_wrong(job, heard, names)
    plain = {voice: " ".join(name.translate(_DIRECTIONS).split()) for voice, name in names.items()}
    said = said_names(_said(job.directory), heard.voices) | plain
    embeddings = {voice.id: voice.embedding for voice in heard.voices.voices}
    document = SpeakerNames(
        voices=tuple(
            SaidName(id=voice, name=name, model=heard.voices.model, embedding=embeddings.get(voice, ()))
            for voice, name in said.items()
        )
    )
    title, _ = planner.title_of(job.submit)
    path = job.directory / SPEAKERS
    try:
        write_json(path, to_plain(document))
        known_here().learn(series_of_job(job), title, heard.voices, plain)
    except OSError as error:
        raise _not_written(error, path) from error


def _not_told(job: JobRow, steps: Sequence[StepRow]) -> UsageError:
    if any(step.stage == STAGE.name for step in steps):
        return UsageError(f"{job.id} has not come so far as to tell voices apart.", f"cpw status {job.id}")
    message = f"The voices of {job.id} have not been told apart."
    return UsageError(message, f"cpw-submit {shlex.quote(job.submit.media)} --with {STAGE.name}")


def forget_known(series: str, name: str) -> tuple[KnownVoice, ...]:
    """Forget a name, or all, of one series or of all, and return what was known of them.

    Raises `InputError` or `DiskFullError` where a file cannot be read or written.
    """
    try:
        return known_here().forget(series, name)
    except OSError as error:
        raise _not_written(error, envspecs.state_directory() / _FOLDER) from error


def _not_written(error: OSError, path: Path) -> CpwError:
    message = f"{error.filename or path} cannot be written: {error.strerror}."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFullError(message, "Make room, and say it again.")
    return InputError(message, "Make that folder writable, and say it again.")


@dataclass(frozen=True, kw_only=True)
class _Heard:
    """Whom diarize has told apart; who said too little has no voice, but a number."""

    result: DiarizeResult
    voices: Voices


_Known = Mapping[str, tuple[float, ...]]


def _heard(job: JobRow, steps: Sequence[StepRow]) -> _Heard | None:
    found = next((step for step in steps if step.stage == STAGE.name and step.state == "done"), None)
    if found is None or not found.result:
        return None
    result = from_plain(DiarizeResult, found.result)
    path = job.directory / result.voices.path
    return _Heard(result=result, voices=_read(Voices, path, f"cpw retry {job.id} --from {STAGE.name}"))


def _known(job: JobRow, heard: _Heard) -> _Known:
    return known_here().embeddings(series_of_job(job), heard.voices.model)


def _known_or_none(job: JobRow, heard: _Heard) -> _Known:
    try:
        return _known(job, heard)
    except CpwError as error:
        log.warning("%s: nobody of the series is known: %s", job.id, error)
        return {}


def _named(job: JobRow, heard: _Heard, known: _Known) -> tuple[NamedVoice, ...]:
    said = said_names(_said(job.directory), heard.voices)
    # A name that a person has given to one voice of this film is no other's.
    free = {name: embedding for name, embedding in known.items() if name not in said.values()}
    matched = known_names([voice for voice in heard.voices.voices if voice.id not in said], free)
    found = []
    for speaker in heard.result.speakers:
        name, alike = matched.get(speaker.id, ("", 0.0))
        own = said.get(speaker.id)
        found.append(
            NamedVoice(
                id=speaker.id,
                name=name if own is None else own,
                by="person" if own is not None else "series" if name else "",
                likeness_percent=round(100 * alike) if name else 0,
                speech_ms=speaker.speech_ms,
            )
        )
    return tuple(found)


def _refuse_wrong(job: JobRow, heard: _Heard, names: Mapping[str, str]) -> None:
    ids = [speaker.id for speaker in heard.result.speakers]
    if not names or len(names) > _MOST_NAMES:
        message = "No name was given." if not names else f"More than {_MOST_NAMES} names were given."
        raise UsageError(message, f"cpw speakers {job.id} --name {next(iter(ids), '1')}=NAME")
    for voice, name in names.items():
        if voice not in ids:
            message = f"{job.id} has no voice {voice!r}; it has {', '.join(ids) or 'none'}."
            raise UsageError(message, f"cpw speakers {job.id}")
        if len(name) > _MOST_LETTERS or not all(map(_is_writable, name.translate(_DIRECTIONS))):
            message = f"{name[:_MOST_LETTERS]!r} is no name: {_MOST_LETTERS} letters on one line at most."
            raise UsageError(message, "Write a shorter one, without line ends and signs that nobody sees.")


def _is_writable(letter: str) -> bool:
    """Return whether a name may have the letter; a Japanese name may have a space of its own width."""
    return letter.isprintable() or letter in _JOINERS or unicodedata.category(letter) == "Zs"


def _said(folder: Path) -> tuple[SaidName, ...]:
    path = folder / SPEAKERS
    if not path.exists():
        return ()
    return _read(SpeakerNames, path, f"Remove it, and name the voices anew: rm {path}").voices


def _read(kind: type[T], path: Path, remedy: str) -> T:
    try:
        return read_json_as(kind, path)
    except (OSError, ValueError, SchemaError) as error:
        message = f"The file {path} cannot be read: {error}."
        raise InputError(message, remedy) from error
