"""The voices that people have named, kept on this machine: one file a series in `state/voices/`.

An embedding of a voice can tell a person: the folder is its owner's alone (0700), and what is forgotten is
gone from the file. A job's own `voices.json` has the voices of its film by number, and goes with the job.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from coordinator.voices.matching import centre, is_same, likeness
from protocol.artefacts import read_json_as, write_json
from protocol.errors import InputError, SchemaError
from protocol.jobs.voices import KnownVoice, Voices
from protocol.schema import to_plain

__all__ = ["KnownVoices"]

_VERSION = 1
_MOST_SAMPLES = 20
"""Of one name; more say nothing new."""
_ONE_PERSON = 0.75
"""Two names that are so alike are of one person: two people were at most 0.46 alike where it was measured."""


@dataclass(frozen=True, kw_only=True)
class _Sample:
    """A voice of a film that a person has named."""

    name: str
    title: str
    """Of the film."""
    model: str
    speech_ms: int
    embedding: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class _File:
    version: int = _VERSION
    series: str
    samples: tuple[_Sample, ...] = ()


class KnownVoices:
    """Reads and writes the files.

    The coordinator alone does, one request after the other; `state/coordinator.lock` says that there is one.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def embeddings(self, series: str, model: str) -> dict[str, tuple[float, ...]]:
        """Return each name of the series with the mean of its embeddings by this model.

        Where one person has two names, the newer one counts: it was put right in a later film. Whoever has
        another name in the same film is somebody else.
        """
        samples = [sample for sample in self._read(series).samples if sample.model == model]
        found: dict[str, tuple[float, ...]] = {}
        films: dict[str, set[str]] = {}
        for name in dict.fromkeys(sample.name for sample in reversed(samples)):
            own = [sample for sample in samples if sample.name == name]
            middle = centre((sample.embedding, sample.speech_ms) for sample in own)
            films[name] = {sample.title for sample in own}
            if not any(
                likeness(middle, other) >= _ONE_PERSON and films[name].isdisjoint(films[newer])
                for newer, other in found.items()
            ):
                found[name] = middle
        return found

    def learn(self, series: str, title: str, voices: Voices, names: Mapping[str, str]) -> None:
        """Keep what voices of a film are called, in place of what they were called before.

        `names` has the id of a voice with its name; a voice with an empty one is forgotten. An `OSError`
        names the file that cannot be written.
        """
        kept = self._read(series)
        now = [voice for voice in voices.voices if voice.id in names]
        before = [sample for sample in kept.samples if sample.model == voices.model]
        renamed = [
            sample for sample in before if any(is_same(sample.embedding, voice.embedding) for voice in now)
        ]
        samples = [sample for sample in kept.samples if sample not in renamed]
        samples += [
            _Sample(
                name=names[voice.id],
                title=title,
                model=voices.model,
                speech_ms=voice.speech_ms,
                embedding=voice.embedding,
            )
            for voice in now
            if names[voice.id]
        ]
        self._write(replace(kept, samples=tuple(_newest(samples))))

    def listed(self, series: str = "") -> tuple[KnownVoice, ...]:
        """Return what is known of a series, or of all, without the embeddings."""
        files = (file for file in self._files() if not series or _key(series) == _key(file.series))
        return tuple(sorted((voice for file in files for voice in _voices_in(file)), key=_in_order))

    def forget(self, series: str = "", name: str = "") -> tuple[KnownVoice, ...]:
        """Forget a name, in one series or in all; without a name all of the series, or all. Return what.

        A file that cannot be read is told, by an `InputError`, when the others have been seen to.
        """
        if not series and not name:
            return self._forget_all()
        self._remove_unfinished()
        forgotten: list[KnownVoice] = []
        broken: InputError | None = None
        for path in sorted(self._folder.glob("*.json")):
            try:
                file = _read(path)
            except InputError as error:
                broken = broken or error
                continue
            if not series or _key(series) == _key(file.series):
                forgotten += self._forget_in(file, name)
        if broken is not None:
            raise broken
        return tuple(sorted(forgotten, key=_in_order))

    def _forget_in(self, file: _File, name: str) -> list[KnownVoice]:
        gone = [voice for voice in _voices_in(file) if not name or voice.name == name]
        names = {voice.name for voice in gone}
        if gone:
            left = tuple(sample for sample in file.samples if sample.name not in names)
            self._write(replace(file, samples=left))
        return gone

    def _remove_unfinished(self) -> None:
        """Remove what a coordinator was writing when it was killed."""
        for left in self._folder.glob(".*.part"):
            left.unlink(missing_ok=True)

    def _forget_all(self) -> tuple[KnownVoice, ...]:
        """Remove every file, those too that cannot be read and what was never finished."""
        forgotten: list[KnownVoice] = []
        for path in sorted(self._folder.glob("*.json")):
            with contextlib.suppress(InputError):
                forgotten += _voices_in(_read(path))
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            path.unlink(missing_ok=True)
        return tuple(sorted(forgotten, key=_in_order))

    def _path(self, series: str) -> Path:
        # A title may be longer than a file's name, and hold any letter.
        return self._folder / f"{hashlib.sha256(_key(series).encode()).hexdigest()[:32]}.json"

    def _files(self) -> Iterator[_File]:
        for path in sorted(self._folder.glob("*.json")):
            yield _read(path)

    def _read(self, series: str) -> _File:
        path = self._path(series)
        return _read(path) if path.exists() else _File(series=series)

    def _write(self, file: _File) -> None:
        path = self._path(file.series)
        self._remove_unfinished()
        if not file.samples:
            path.unlink(missing_ok=True)
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        write_json(path, to_plain(file))
        path.chmod(0o600)


def _key(series: str) -> str:
    return " ".join(series.casefold().split())


def _in_order(voice: KnownVoice) -> tuple[str, str]:
    return voice.series.casefold(), voice.name.casefold()


def _voices_in(file: _File) -> Iterator[KnownVoice]:
    for name in dict.fromkeys(sample.name for sample in file.samples):
        own = [sample for sample in file.samples if sample.name == name]
        yield KnownVoice(
            series=file.series,
            name=name,
            films=tuple(dict.fromkeys(sample.title for sample in own)),
            speech_ms=sum(sample.speech_ms for sample in own),
        )


def _newest(samples: list[_Sample]) -> Iterator[_Sample]:
    """Yield the samples, of each name the last ones only."""
    for place, sample in enumerate(samples):
        after = sum(later.name == sample.name for later in samples[place + 1 :])
        if after < _MOST_SAMPLES:
            yield sample


def _read(path: Path) -> _File:
    try:
        found = read_json_as(_File, path)
    except (OSError, ValueError, SchemaError) as error:
        message = f"The file {path} of known voices cannot be read: {error}."
        raise InputError(message, f"Remove it, and name its voices anew: rm {path}") from error
    if found.version > _VERSION:
        message = f"{path} is of version {found.version}, and this program reads {_VERSION}."
        raise InputError(message, "Update the program.")
    return found
