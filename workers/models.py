"""The models of one worker: each is loaded once, shared by the engines, unloaded when memory is short."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from protocol.artefacts import spoilt_file
from protocol.clock import now_iso
from protocol.errors import MissingError
from protocol.messages import LoadedModel
from workers.cores import usable_cores
from workers.engine import ModelKey
from workers.memory import MEGABYTE, Budget, Meter, Need, is_worn_out, model_factor, over_ram, over_vram

__all__ = ["ModelShelf"]

_MANIFEST = "manifest.json"

_CALLS = 8
"""For so many calls the worker remembers what memory they needed beside their models."""
_SEEN = 0.5
"""Where torch's memory on the GPU grows by less than this part of a model's files, torch does not hold it."""
_LIBRARY = 20
"""Where loading a model imports more modules, most of the new memory is theirs."""
_LONGEST_WAIT_S = 3600.0
"""The timeout of a poll has a limit; after it the worker asks again."""

log = logging.getLogger(__name__)


@dataclass
class _Held:
    model: Any
    used_s: float
    hidden: int
    """Bytes on the GPU that torch does not know, of CTranslate2's models: the size of the files."""


class ModelShelf:
    """Loaded models by key. Only the main thread uses it; every thread may call `loaded`, `threads` and
    `give_cores`.

    Models are unloaded where the memory in use, the model to load, and what calls need beside their models
    are together more than the budget: the least recently used model first. A model that a call got since the
    last `end_call` is in use, and stays.
    """

    def __init__(
        self,
        store: Path,
        budget: Budget | None = None,
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
        threads: int = 0,
    ) -> None:
        self.budget = budget or Budget()
        self.meter = meter or Meter()
        self._store = store
        self._clock = clock
        self._most_threads = threads or usable_cores()
        self._cores = self._most_threads
        self._held: dict[ModelKey, _Held] = {}
        self._loaded: dict[ModelKey, LoadedModel] = {}
        self._loads: Counter[ModelKey] = Counter()
        self._took: dict[ModelKey, Need] = {}
        self._in_use: list[set[ModelKey]] = [set()]
        """Of the start, and of each running call: one that is interrupted stands before its interrupter."""
        self._extra: deque[int] = deque(maxlen=_CALLS)
        self._libraries = 0

    def path(self, model: str) -> Path:
        """Return the model's folder in the store; `MissingError` where it is not there, or a file of it."""
        if not self.has(model):
            message = f"The model {model} is not in the model store {self._store}."
            raise MissingError(message, f"cpw models fetch {model}")
        folder = self._store / model
        if spoilt := _spoilt_file(folder):
            said = "has changed since it was fetched" if (folder / spoilt).is_file() else "is missing"
            message = f"The file {folder / spoilt} {said}."
            # Some libraries end the process where a file is too short.
            raise MissingError(message, f"cpw models fetch {model}")
        return folder

    def threads(self) -> int:
        """Return with how many threads to compute now."""
        return min(self._cores, self._most_threads)

    def most_threads(self) -> int:
        """Return how many threads a call gets at most: as many as the worker was started with."""
        return self._most_threads

    def give_cores(self, count: int) -> None:
        """Let the call keep so many cores busy from now on; before the first time, all that there are."""
        self._cores = max(1, count)

    def has(self, model: str) -> bool:
        """Return whether the store has the whole model: its manifest is written last."""
        return "/" not in model and (self._store / model / _MANIFEST).is_file()

    def get(self, key: ModelKey, load: Callable[[], Any]) -> Any:
        """Return the loaded model; only the first time, call `load` for it."""
        self._in_use[-1].add(key)
        if key not in self._held:
            self._make_room(self._need(key), f"{key} is to be loaded")
            self._load(key, load)
            self._make_room(Need(), f"{key} is larger than its estimate")
        self._touch(key)
        # No variable of this function holds the model: see `Meter.forget_frames`.
        return self._held[key].model

    def _touch(self, key: ModelKey) -> None:
        self._held[key].used_s = self._clock()
        self._loaded[key] = replace(self._loaded[key], used_at=now_iso())

    def begin_call(self) -> None:
        """Start to measure what a call needs beside its models; an interrupted call keeps its own in use."""
        self._in_use.append(set())
        if self.budget.ram_bytes:
            self.meter.forget_peak()

    def end_call(self) -> bool:
        """Mark the call's models as not in use, and unload what is over the budget.

        Return whether the process must be replaced: no model is left, and it still uses too much memory.
        """
        # A call may take hours: its models are idle from its end, not from its start.
        used = self._in_use.pop()
        if len(self._in_use) <= 1:
            self._in_use = [set()]
        for key in sorted(used & self._held.keys(), key=lambda model_key: self._held[model_key].used_s):
            self._touch(key)
        if not self.budget.ram_bytes and not self.budget.vram_bytes:
            return False
        # What is still resident counts when models are loaded; the peak above it does not.
        self._extra.append(max(0, self.meter.peak() - self.meter.resident()))
        self._make_room(Need(), "the call has ended", reserve=False)
        return not self._held and is_worn_out(self.budget, self.meter.resident(), self._libraries)

    def ready(self) -> None:
        """End the start: remember what the libraries use without models, and warn if that is too much."""
        self.end_call()
        held = sum(model.bytes for key, model in self._loaded.items() if not _on_gpu(key))
        self._libraries = max(0, self.meter.resident() - held)
        if 0 < self.budget.ram_bytes < self._libraries:
            log.warning(
                "the libraries take %d MB, more than the budget of %d MB: no model is kept between calls",
                self._libraries // MEGABYTE,
                self.budget.ram_bytes // MEGABYTE,
            )

    def unload(self, keys: Iterable[ModelKey], why: str) -> None:
        """Unload these models, and return their memory to the system."""
        gone = [key for key in keys if self._held.pop(key, None) is not None]
        for key in gone:
            shown = self._loaded.pop(key)
            log.info("unloaded %s (%d MB): %s", key, shown.bytes // MEGABYTE, why)
        if gone:
            self.meter.forget_frames()
            self.meter.give_back()
            log.info("%d MB are resident now", self.meter.resident() // MEGABYTE)

    def clear(self, names: Iterable[str] = (), why: str = "the coordinator asked for it") -> None:
        """Unload the models with these keys as texts, or every model; between two calls."""
        wanted = frozenset(names)
        self.unload([key for key in self._held if not wanted or str(key) in wanted], why)

    def unload_idle(self) -> None:
        """Unload what nobody used for the budget's idle time; between two calls."""
        if not self.budget.idle_s:
            return
        since = self._clock() - self.budget.idle_s
        idle = [key for key, held in self._held.items() if held.used_s <= since]
        self.unload(idle, f"not used for {self.budget.idle_s:.0f} s")

    def idle_in_s(self) -> float | None:
        """Return after how many seconds the next model may be idle; None: none will be."""
        if not self.budget.idle_s or not self._held:
            return None
        oldest = min(held.used_s for held in self._held.values())
        return min(_LONGEST_WAIT_S, max(0.0, oldest + self.budget.idle_s - self._clock()))

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Return what is loaded, how often it was loaded, and since when."""
        return tuple(self._loaded.copy().values())

    def _load(self, key: ModelKey, load: Callable[[], Any]) -> None:
        self._tidy()
        before, device_before, modules = self.meter.resident(), self.meter.device(), len(sys.modules)
        self.meter.forget_peak()
        begun = time.monotonic()
        model = load()
        took_ms = round((time.monotonic() - begun) * 1000)
        self._loads[key] += 1
        peak = max(0, self.meter.peak() - before)
        self._tidy()
        grown = max(0, self.meter.resident() - before)
        device = max(0, self.meter.device() - device_before)
        estimate = self._estimate(key)
        if len(sys.modules) - modules > _LIBRARY:
            # They stay when the model is unloaded.
            self._libraries += max(0, grown - estimate)
            peak, grown = min(peak, estimate), min(grown, estimate)
        hidden = estimate if _on_gpu(key) and device < _SEEN * estimate else 0
        self._took[key] = Need(ram_bytes=peak, vram_bytes=device + hidden)
        self.meter.forget_peak()
        self._held[key] = _Held(model, self._clock(), hidden)
        size = device + hidden if _on_gpu(key) else grown
        self._loaded[key] = LoadedModel(
            key=str(key),
            loads=self._loads[key],
            load_ms=took_ms,
            bytes=size,
            device=key.device,
            loaded_at=now_iso(),
        )
        log.info("loaded %s in %d ms (%d MB)", key, took_ms, size // MEGABYTE)

    def _tidy(self) -> None:
        """Return free memory to the system, so that a model is measured by what it adds.

        Without a budget it is not worth the time; the size of a model is then less exact.
        """
        if self.budget.ram_bytes:
            self.meter.give_back()

    def _need(self, key: ModelKey) -> Need:
        """Return what loading needs: what it needed the last time, else an estimate by the files' sizes."""
        if key in self._took:
            return self._took[key]
        estimate = self._estimate(key)
        # Weights for a GPU go through RAM.
        return Need(ram_bytes=estimate, vram_bytes=estimate if _on_gpu(key) else 0)

    def _estimate(self, key: ModelKey) -> int:
        """Return the sizes of the model's files in the store times their factors; 0 where there are none."""
        try:
            files = json.loads((self._store / key.model / "manifest.json").read_bytes())["files"]
            return sum(
                round(int(file["size"]) * model_factor(name, key.compute_type))
                for name, file in files.items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return 0

    def _make_room(self, need: Need, why: str, *, reserve: bool = True) -> None:
        """Unload models that are not in use, least recently used first, until `need` fits or none is left."""
        extra = max(self._extra, default=0) if reserve else 0
        self._shrink(
            lambda: over_ram(self.budget, self.meter.resident(), need.ram_bytes + extra), why, gpu=False
        )
        self._shrink(lambda: over_vram(self.budget, self._vram(), need.vram_bytes), why, gpu=True)

    def _shrink(self, over: Callable[[], str], why: str, *, gpu: bool) -> None:
        if not over():
            return
        # Free memory that the system does not have back counts as resident: return it before any model goes.
        self.meter.give_back()
        in_use = frozenset().union(*self._in_use)
        spare = [key for key in self._held if key not in in_use and _on_gpu(key) == gpu]
        for key in sorted(spare, key=lambda model_key: self._held[model_key].used_s):
            if not (reason := over()):
                return
            self.unload((key,), f"{why}: {reason}")
        if (reason := over()) and in_use:
            log.warning("%s, and every loaded model is in use: %s", why, reason)

    def _vram(self) -> int:
        return self.meter.device() + sum(held.hidden for held in self._held.values())


def _on_gpu(key: ModelKey) -> bool:
    # Apple's GPU shares the RAM: a model on it is resident.
    return key.device.startswith("cuda")


def _spoilt_file(folder: Path) -> str:
    """Return the first file of the model that is not as it was fetched; empty where there is none."""
    try:
        files = json.loads((folder / _MANIFEST).read_bytes())["files"]
        return spoilt_file(folder, {name: (file["size"], file["sha256"]) for name, file in files.items()})
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return _MANIFEST
