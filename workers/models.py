"""The models of one worker: loaded once, kept, shared by its engines."""

from __future__ import annotations

import gc
import logging
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from protocol.errors import MissingError
from protocol.messages import LoadedModel
from workers.engine import ModelKey

__all__ = ["ModelShelf"]

log = logging.getLogger(__name__)


class ModelShelf:
    """Loaded models by key. Used by the main thread only; `loaded` may be read by any."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._models: dict[ModelKey, Any] = {}
        self._loaded: dict[ModelKey, LoadedModel] = {}
        self._loads: Counter[ModelKey] = Counter()

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
        if key not in self._models:
            begun = time.monotonic()
            self._models[key] = load()
            took_ms = round((time.monotonic() - begun) * 1000)
            self._loads[key] += 1
            self._loaded[key] = LoadedModel(key=str(key), loads=self._loads[key], load_ms=took_ms)
            log.info("loaded %s in %d ms", key, took_ms)
        return self._models[key]

    def clear(self) -> None:
        """Let go of every model; between two calls, when none is in use."""
        count = len(self._models)
        self._loaded.clear()
        self._models.clear()
        gc.collect()
        # Only where an engine has imported it: what torch has freed it keeps for itself otherwise.
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.empty_cache()
        log.info("unloaded %d models", count)

    def loaded(self) -> tuple[LoadedModel, ...]:
        """Return what is loaded and how often it was."""
        return tuple(self._loaded.copy().values())
