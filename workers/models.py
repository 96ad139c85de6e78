"""The models of one worker: loaded once, kept, shared by its engines, let go of when memory is short."""

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

from protocol.clock import now_iso
from protocol.errors import MissingError
from protocol.messages import LoadedModel
from workers.engine import ModelKey
from workers.memory import MEGABYTE, Budget, Meter, Need, is_worn_out, model_factor, over_ram, over_vram

__all__ = ["ModelShelf"]

_CALLS = 8
"""So many calls back the memory that a call needs beside its models is remembered."""
_SEEN = 0.5
"""A model that makes torch's share of the GPU grow by less than this part of its files is not torch's."""

_LIBRARY = 20
"""Where loading a model imports more modules than this, most of what the process grew by is theirs."""
_LONGEST_WAIT_S = 3600.0
"""What a poll takes for a timeout has an end; after it the question is asked again."""

log = logging.getLogger(__name__)


@dataclass
class _Held:
    model: Any
    used_s: float
    hidden: int
    """Bytes of the GPU that torch does not know of: CTranslate2's models. By the size of the files."""


class ModelShelf:
    """Loaded models by key. Used by the main thread only; `loaded` may be read by any.

    A model that was got since the last `end_call` is in use and is not let go of. Of the others the least
    recently used goes first, where what is resident, what is to be loaded, and what calls need beside their
    models come to more than the budget.
    """

    def __init__(
        self,
        store: Path,
        budget: Budget | None = None,
        meter: Meter | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget or Budget()
        self.meter = meter or Meter()
        self._store = store
        self._clock = clock
        self._held: dict[ModelKey, _Held] = {}
        self._loaded: dict[ModelKey, LoadedModel] = {}
        self._loads: Counter[ModelKey] = Counter()
        self._took: dict[ModelKey, Need] = {}
        self._in_use: set[ModelKey] = set()
        self._extra: deque[int] = deque(maxlen=_CALLS)
        self._libraries = 0

    def path(self, model: str) -> Path:
        """Return the model's folder in the store; `MissingError` where it is not there."""
        if not self.has(model):
            message = f"The model {model} is not in the model store {self._store}."
            raise MissingError(message, f"cpw models fetch {model}")
        return self._store / model

    def has(self, model: str) -> bool:
        """Tell whether the store has the model; its manifest is written last."""
        return "/" not in model and (self._store / model / "manifest.json").is_file()

    def get(self, key: ModelKey, load: Callable[[], Any]) -> Any:
        """Return the loaded model, calling `load` the first time only."""
        self._in_use.add(key)
        if key not in self._held:
            self._make_room(self._need(key), f"{key} is to be loaded")
            self._load(key, load)
            self._make_room(Need(), f"{key} is larger than was thought")
        self._touch(key)
        # No variable of this function holds the model: see `Meter.forget_frames`.
        return self._held[key].model

    def _touch(self, key: ModelKey) -> None:
        self._held[key].used_s = self._clock()
        self._loaded[key] = replace(self._loaded[key], used_at=now_iso())

    def begin_call(self) -> None:
        """Begin to measure what a call needs beside its models."""
        if self.budget.ram_bytes:
            self.meter.forget_peak()

    def end_call(self) -> bool:
        """Take no model for used any more, and let go of what is over the budget.

        Returns whether the process must be replaced: no model is left and memory has not come back.
        """
        # A call may take hours: it is its end since when nobody uses them.
        for key in sorted(
            self._in_use & self._held.keys(), key=lambda model_key: self._held[model_key].used_s
        ):
            self._touch(key)
        self._in_use.clear()
        if not self.budget.ram_bytes and not self.budget.vram_bytes:
            return False
        # What is resident afterwards is counted where models are loaded; the peak above it is not.
        self._extra.append(max(0, self.meter.peak() - self.meter.resident()))
        self._make_room(Need(), "the call has ended", reserve=False)
        return not self._held and is_worn_out(self.budget, self.meter.resident(), self._libraries)

    def ready(self) -> None:
        """End the start: remember what the libraries take without models, and say so if it is too much."""
        self.end_call()
        held = sum(model.bytes for key, model in self._loaded.items() if not _on_gpu(key))
        self._libraries = max(0, self.meter.resident() - held)
        if 0 < self.budget.ram_bytes < self._libraries:
            log.warning(
                "the libraries take %d MB, more than the budget of %d MB: no model is kept between calls",
                self._libraries // MEGABYTE,
                self.budget.ram_bytes // MEGABYTE,
            )

    def let_go(self, keys: Iterable[ModelKey], why: str) -> None:
        """Let go of these models, and give their memory back."""
        gone = [key for key in keys if self._held.pop(key, None) is not None]
        for key in gone:
            shown = self._loaded.pop(key)
            log.info("let go of %s (%d MB): %s", key, shown.bytes // MEGABYTE, why)
        if gone:
            self.meter.forget_frames()
            self.meter.give_back()
            log.info("%d MB are resident now", self.meter.resident() // MEGABYTE)

    def clear(self, names: Iterable[str] = (), why: str = "the coordinator asked for it") -> None:
        """Let go of the models whose keys read like that, or of every one; between two calls."""
        wanted = frozenset(names)
        self.let_go([key for key in self._held if not wanted or str(key) in wanted], why)

    def let_go_of_idle(self) -> None:
        """Let go of what was not used for the budget's idle time; between two calls."""
        if not self.budget.idle_s:
            return
        since = self._clock() - self.budget.idle_s
        idle = [key for key, held in self._held.items() if held.used_s <= since]
        self.let_go(idle, f"not used for {self.budget.idle_s:.0f} s")

    def idle_in_s(self) -> float | None:
        """Return in how many seconds the next model is to be looked at; None: none will be."""
        if not self.budget.idle_s or not self._held:
            return None
        oldest = min(held.used_s for held in self._held.values())
        return min(_LONGEST_WAIT_S, max(0.0, oldest + self.budget.idle_s - self._clock()))

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Return what is loaded, how often it was, and since when."""
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
            # They stay when the model goes.
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
        """Have nothing resident that is free, before and after a model is measured by what it adds.

        Where nobody counts, it is not worth the time: then a model's size is what happens to be seen.
        """
        if self.budget.ram_bytes:
            self.meter.give_back()

    def _need(self, key: ModelKey) -> Need:
        """Return what loading takes: what it took the last time, else an estimate by the files' sizes."""
        if key in self._took:
            return self._took[key]
        estimate = self._estimate(key)
        # Weights for a GPU pass through RAM.
        return Need(ram_bytes=estimate, vram_bytes=estimate if _on_gpu(key) else 0)

    def _estimate(self, key: ModelKey) -> int:
        """Return the size of the model's files in the store times their factors; 0: none are there."""
        try:
            files = json.loads((self._store / key.model / "manifest.json").read_bytes())["files"]
            return sum(
                round(int(file["size"]) * model_factor(name, key.compute_type))
                for name, file in files.items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return 0

    def _make_room(self, need: Need, why: str, *, reserve: bool = True) -> None:
        """Let go of models not in use, least recently used first, until `need` fits or none is left."""
        extra = max(self._extra, default=0) if reserve else 0
        self._shrink(
            lambda: over_ram(self.budget, self.meter.resident(), need.ram_bytes + extra), why, gpu=False
        )
        self._shrink(lambda: over_vram(self.budget, self._vram(), need.vram_bytes), why, gpu=True)

    def _shrink(self, over: Callable[[], str], why: str, *, gpu: bool) -> None:
        if not over():
            return
        # What is free and not given back counts as resident: that goes before any model.
        self.meter.give_back()
        spare = [key for key in self._held if key not in self._in_use and _on_gpu(key) == gpu]
        for key in sorted(spare, key=lambda model_key: self._held[model_key].used_s):
            if not (reason := over()):
                return
            self.let_go((key,), f"{why}: {reason}")
        if (reason := over()) and self._in_use:
            log.warning("%s, and every model that is left is in use: %s", why, reason)

    def _vram(self) -> int:
        return self.meter.device() + sum(held.hidden for held in self._held.values())


def _on_gpu(key: ModelKey) -> bool:
    # Apple's GPU shares the RAM: what is there is resident.
    return key.device.startswith("cuda")
