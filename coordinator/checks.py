"""What is looked at besides the workers: the job store, the room on the disks, the models."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import envspecs
from coordinator.store.store import Store
from envspecs.models.registry import has_model
from envspecs.setup.pins import read_pins
from protocol.errors import UsageError
from protocol.messages import Problem
from protocol.wording import size

__all__ = [
    "OUT_BYTES",
    "STORE_BYTES",
    "Checks",
    "Place",
    "disk_problems",
    "free_bytes",
    "model_problems",
    "pin_problems",
    "store_problems",
]

STORE_BYTES, OUT_BYTES = 50_000_000, 500_000_000
"""So much must be free. Ten thousand jobs take 40 MB of the store; the sound of an hour of film takes 115 MB
of its job's folder, and 635 MB more for separate."""
_LOOK_EVERY_S = 2.0


class Checks:
    """Looks again every two seconds at most, however often it is asked. Used by the loop's thread alone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: tuple[Problem, ...] = ()
        self._look_again_s = 0.0

    def look(self, specs: Iterable[envspecs.EnvSpec], out: Path, now_s: float) -> tuple[Problem, ...]:
        """Return what is wrong; `out` is where job folders go."""
        if now_s >= self._look_again_s:
            self._look_again_s = now_s + _LOOK_EVERY_S
            places = (
                Place(what="the job store", folder=self._store.path.parent, least_bytes=STORE_BYTES),
                Place(what="the jobs' folders", folder=out, least_bytes=OUT_BYTES),
            )
            self._found = (
                *store_problems(self._store),
                *disk_problems(places),
                *model_problems(specs),
                *pin_problems(),
            )
        return self._found


def store_problems(store: Store) -> Iterator[Problem]:
    """Yield what keeps the job store from being written: a full disk, rights, a disk that fails."""
    try:
        store.set_fact("looked at", "")
    except sqlite3.Error as error:
        sentence = f"The job store {store.path} cannot be written: {error}."
        yield Problem(sentence=sentence, remedy="Make room on its disk, or take the right to write it.")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A folder that the house writes to."""

    what: str
    """What lies there."""
    folder: Path
    """It need not be made yet."""
    least_bytes: int
    """So much must be free on its disk."""


def disk_problems(places: Iterable[Place]) -> Iterator[Problem]:
    """Yield a sentence for each place whose disk has too little room."""
    for place in places:
        try:
            free = free_bytes(place.folder)
        except OSError as error:
            sentence = f"The disk of {place.what}, {place.folder}, cannot be asked: {error.strerror}."
            yield Problem(sentence=sentence, remedy="Look whether it is still there.")
            continue
        if free < place.least_bytes:
            sentence = f"The disk of {place.what}, {place.folder}, has only {size(free)} left."
            yield Problem(sentence=sentence, remedy="Make room: cpw jobs prune --older-than 30d")


def free_bytes(folder: Path) -> int:
    """Return what is free on the folder's disk; it need not be made yet. Raises `OSError`."""
    known = next((at for at in (folder, *folder.parents) if at.exists()), Path("/"))
    return shutil.disk_usage(known).free


def pin_problems() -> Iterator[Problem]:
    """Yield what is wrong in the file of what a person decided about models: new jobs are refused for it."""
    try:
        read_pins()
    except UsageError as error:
        yield Problem(sentence=error.message, remedy=error.remedy)


def model_problems(specs: Iterable[envspecs.EnvSpec]) -> Iterator[Problem]:
    """Yield a sentence for each environment that is built and lacks the model that its jobs use."""
    for spec in specs:
        model = spec.default_model
        if spec.worker and model and spec.usable_here() and envspecs.is_built(spec) and not has_model(model):
            sentence = f"{spec.name}: its model {model} is not whole in {envspecs.models_directory()}."
            yield Problem(sentence=sentence, remedy=f"cpw models fetch {model}")
