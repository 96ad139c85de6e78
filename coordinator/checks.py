"""What is looked at besides the workers: the job store, the room on the disks, the models."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import envspecs
from coordinator.store.store import Store
from envspecs.models.registry import has_model
from protocol.messages import Problem
from protocol.wording import size

__all__ = ["LEAST_FREE_BYTES", "Checks", "disk_problems", "model_problems", "store_problems"]

LEAST_FREE_BYTES = 500_000_000
"""The sound of a film of an hour takes 115 MB, and 635 MB more for separate."""
_LOOK_EVERY_S = 2.0


class Checks:
    """Looks again every two seconds at most, however often it is asked. Used by the loop's thread alone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: tuple[Problem, ...] = ()
        self._look_again_s = 0.0

    def look(self, out: Path, now_s: float) -> tuple[Problem, ...]:
        """Return what is wrong; `out` is where job folders go."""
        if now_s >= self._look_again_s:
            self._look_again_s = now_s + _LOOK_EVERY_S
            places = {
                "the job store": self._store.path.parent,
                "the jobs' folders": out,
                "the models": envspecs.models_directory(),
                "this checkout": envspecs.home(),
            }
            self._found = (
                *store_problems(self._store),
                *disk_problems(places),
                *model_problems(envspecs.read_all()),
            )
        return self._found


def store_problems(store: Store) -> Iterator[Problem]:
    """Yield what keeps the job store from being written: a full disk, rights, a disk that fails."""
    try:
        store.set_fact("looked at", "")
    except sqlite3.Error as error:
        sentence = f"The job store {store.path} cannot be written: {error}."
        yield Problem(sentence=sentence, remedy="Make room on its disk, or take the right to write it.")


def disk_problems(places: Mapping[str, Path]) -> Iterator[Problem]:
    """Yield a sentence for each disk with too little room; `places` are folders by what lies there."""
    full: dict[int, tuple[list[str], Path, int]] = {}
    for what, place in places.items():
        known = next((folder for folder in (place, *place.parents) if folder.exists()), Path("/"))
        try:
            free, device = shutil.disk_usage(known).free, known.stat().st_dev
        except OSError:
            continue
        if free < LEAST_FREE_BYTES:
            full.setdefault(device, ([], place, free))[0].append(what)
    for names, place, free in full.values():
        sentence = f"The disk of {place} ({', '.join(names)}) has only {size(free)} left."
        yield Problem(sentence=sentence, remedy="Make room: cpw jobs prune --older-than 30d")


def model_problems(specs: Iterable[envspecs.EnvSpec]) -> Iterator[Problem]:
    """Yield a sentence for each environment that is built and lacks the model that its jobs use."""
    for spec in specs:
        model = spec.default_model
        if spec.worker and model and spec.usable_here() and envspecs.is_built(spec) and not has_model(model):
            sentence = f"{spec.name}: its model {model} is not whole in {envspecs.models_directory()}."
            yield Problem(sentence=sentence, remedy=f"cpw models fetch {model}")
