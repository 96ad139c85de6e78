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

from coordinator.voices.matching import centre, is_same
from protocol.artefacts import read_json_as, write_json
from protocol.errors import InputError, SchemaError
from protocol.jobs.voices import KnownVoice, Voices
from protocol.schema import to_plain

__all__ = ["KnownVoices"]

_VERSION = 1
_MOST_SAMPLES = 20
"""Of one name; more say nothing new."""


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
        """Return each name of the series with the mean of its embeddings by this model."""
        samples = [sample for sample in self._read(series).samples if sample.model == model]
        names = dict.fromkeys(sample.name for sample in samples)
        return {
            name: centre((found.embedding, found.speech_ms) for found in samples if found.name == name)
            for name in names
        }

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
        found = []
        for file in self._files():
            if series and _key(series) != _key(file.series):
                continue
            for name in dict.fromkeys(sample.name for sample in file.samples):
                own = [sample for sample in file.samples if sample.name == name]
                found.append(
                    KnownVoice(
                        series=file.series,
                        name=name,
                        films=tuple(dict.fromkeys(sample.title for sample in own)),
                        speech_ms=sum(sample.speech_ms for sample in own),
                    )
                )
        return tuple(sorted(found, key=lambda voice: (voice.series.casefold(), voice.name.casefold())))

    def forget(self, series: str = "", name: str = "") -> tuple[KnownVoice, ...]:
        """Forget a name, in one series or in all; without a name all of the series, or all. Return what."""
        if not series and not name:
            return self._forget_all()
        forgotten = [voice for voice in self.listed(series) if not name or voice.name == name]
        for file in list(self._files()):
            gone = {voice.name for voice in forgotten if _key(voice.series) == _key(file.series)}
            if gone:
                left = tuple(sample for sample in file.samples if sample.name not in gone)
                self._write(replace(file, samples=left))
        return tuple(forgotten)

    def _forget_all(self) -> tuple[KnownVoice, ...]:
        """Remove every file, those too that cannot be read and what was never finished."""
        forgotten: tuple[KnownVoice, ...] = ()
        with contextlib.suppress(InputError):
            forgotten = self.listed()
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            path.unlink(missing_ok=True)
        return forgotten

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
        # What a coordinator was writing when it was killed.
        for left in self._folder.glob(f".{path.name}.*.part"):
            left.unlink(missing_ok=True)
        if not file.samples:
            path.unlink(missing_ok=True)
            return
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder.chmod(0o700)
        write_json(path, to_plain(file))
        path.chmod(0o600)


def _key(series: str) -> str:
    return " ".join(series.casefold().split())


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
