"""A step whose work another job has done: its files are taken over, where film and files are the same."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from coordinator.running import reuse
from coordinator.running.acceptance import Acceptance
from coordinator.store import job_folder
from coordinator.store.beside import put_beside
from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from protocol.artefacts import FilmFile, describe_file, describe_film
from protocol.errors import CancelledError, InputError
from protocol.messages import Call, Result
from protocol.schema import from_plain
from protocol.stages import demux

__all__ = ["NOBODY", "FilmDigests", "TakingOver", "refuse_other_film"]

log = logging.getLogger(__name__)

NOBODY = ""
"""The worker of a step whose files are taken over from another job."""


class TakingOver:
    """Finds steps that were done before, and has their files copied. Used by the loop's thread alone."""

    def __init__(self, store: Store, acceptance: Acceptance) -> None:
        self._store = store
        self._acceptance = acceptance
        self._films: dict[str, str] = {}
        self._forbidden: set[tuple[int, str]] = set()
        self._digests = FilmDigests()

    def key_of(self, job: JobRow, step: StepRow, call: Call, build: str) -> str:
        """Return the step's key; empty where the film cannot be read, which its engine will report."""
        if "media" in call.request and job.id not in self._films:
            try:
                self._films = {job.id: reuse.film_samples(Path(job.submit.media))}
            except OSError:
                return ""
        film = self._films.get(job.id, "")
        return reuse.step_key(step.stage, step.environment, build, call.request, film)

    def begin(self, job: JobRow, step: StepRow, key: str, call: Call, run: str) -> bool:
        """Begin to take over the files of a finished step with this key; tell whether there is one.

        Whether the films are the same is found out on another thread: `give_up` is called where they are not.
        """
        refused = (step.seq, step.name) in self._forbidden or not job.submit.reuse
        tried = step.failures or step.kills
        done = None if refused or tried or not key else self._store.find_done(key, step)
        # What a translator has left may be translated this time.
        if done is None or done.result is None or done.result.get("left"):
            return False
        with self._store.transaction():
            identity = self._store.begin(step, run, NOBODY, key)
            self._store.set_note(step, f"{step.name} was done before, in {done.job}.")
        begun = self._store.current(identity)
        assert begun is not None, "it was begun in this very turn"
        media = Path(job.submit.media) if "media" in call.request else None
        film, source = self._film_of(done), self._store.job_of(done).directory

        result = Result(result=done.result, artefacts=done.artefacts, duration_ms=0)

        def check_and_copy() -> str:
            if media is not None:
                refuse_other_film(media, film, self._digests.of)
            job_folder.copy_artefacts(source, job.directory, done.artefacts)
            return put_beside(job, step.stage, result.result)

        self._acceptance.begin(begun, result, check_and_copy, may_take_long=media is not None)
        return True

    def give_up(self, step: StepRow, problem: BaseException) -> None:
        """Have a worker do the step: what was done before cannot be used."""
        log.info("%s %s: the files of another job cannot be used: %s", step.job, step.name, problem)
        self._forbidden.add((step.seq, step.name))
        self._store.set_note(step, "")
        self._store.set_states(step.seq, {step.name: "ready"})

    def forbid(self, seq: int, names: Iterable[str]) -> None:
        """Have workers do these steps even where another job has done the same: a person asks for it."""
        self._forbidden.update((seq, name) for name in names)

    def stop(self) -> None:
        """Compare no more films: what is under way is done again the next time."""
        self._digests.stop()

    def _film_of(self, done: StepRow) -> FilmFile | None:
        """Return the film that the step's job was made of; None where a job of an older version did it."""
        for step in self._store.steps(done.job):
            if step.stage == demux.STAGE.name and step.result is not None:
                return from_plain(demux.DemuxResult, step.result).film
        return None


def refuse_other_film(media: Path, film: FilmFile | None, digest: Callable[[FilmFile], str]) -> None:
    """Raise `InputError` unless the file `media` has the same bytes as the film that was done before.

    The same file, not written to since, is the same film. Of another file all bytes are read (`digest`), and
    of the one that was done before too: it must still be there.
    """
    if film is None:
        message = "It is not known which film was done before."
        raise InputError(message)
    found = describe_film(media)
    if found.is_same_file(film):
        return
    if describe_film(Path(film.path)) != film:
        message = f"The film {film.path} has changed since it was done."
        raise InputError(message)
    if found.size != film.size or digest(found) != digest(film):
        message = f"The film {media} has other contents."
        raise InputError(message)


class FilmDigests:
    """The sha256 of films, each read once as long as nobody writes to it. Every thread may use it."""

    def __init__(self) -> None:
        self._known: dict[FilmFile, str] = {}
        self._stopped = threading.Event()

    def of(self, film: FilmFile) -> str:
        """Return the digest; `InputError` where the film cannot be read, or changes meanwhile."""
        if film not in self._known:
            path = Path(film.path)
            try:
                digest = describe_file(path, "film", self._refuse_when_stopped).sha256
            except OSError as error:
                message = f"The film {path} cannot be read: {error.strerror}."
                raise InputError(message) from error
            if describe_film(path) != film:
                message = f"The film {path} changed while it was read."
                raise InputError(message)
            self._known[film] = digest
        return self._known[film]

    def stop(self) -> None:
        """Read on no further."""
        self._stopped.set()

    def _refuse_when_stopped(self) -> None:
        if self._stopped.is_set():
            message = "The coordinator ends."
            raise CancelledError(message)
