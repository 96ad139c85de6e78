"""The seam between the daemon and the engines."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from protocol.artefacts import Artefact

__all__ = ["Context", "Engine", "ModelKey", "Models"]


@dataclass(frozen=True, kw_only=True)
class ModelKey:
    """What makes two loaded models the same one."""

    kind: str
    """`whisper`, `vad`, `wav2vec2` ...: what the loader makes."""
    model: str
    """Id in the model store."""
    device: str
    compute_type: str

    def __str__(self) -> str:
        """Return the key as health shows it: `whisper:whisper-base@cpu/int8`."""
        return f"{self.kind}:{self.model}@{self.device}/{self.compute_type}"


class Models(Protocol):
    """The models of one worker: loaded once, kept, shared by its engines."""

    def path(self, model: str) -> Path:
        """Return the folder of the model in the store; `MissingError` where it is not there."""

    def has(self, model: str) -> bool:
        """Tell whether the store has the model, complete."""

    def get(self, key: ModelKey, load: Callable[[], Any]) -> Any:
        """Return the loaded model, calling `load` the first time only."""


class Context(Protocol):
    """What a running call may touch."""

    models: Models
    debug: bool

    def input(self, artefact: Artefact) -> Path:
        """Return the absolute path of an input, its presence and size checked (`InputError`)."""

    def output(self, name: str) -> Path:
        """Return the path in the scratch folder at which to write the file `name`."""

    def publish(self, name: str) -> Artefact:
        """Sync and hash the file `name` of the scratch folder and put it into the call's manifest."""

    def progress(self, fraction: float, note: str = "") -> None:
        """Say how far the call is, 0 to 1; raises `CancelledError` where the call was cancelled."""


class Engine(Protocol):
    """A class that keeps a stage's contract. Made once, without arguments, in the worker's main thread.

    Model libraries are imported in `warm` and `run`, never when the module is imported.
    """

    stage: str

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries and load what the first call will need (`model` is the spec's default).

        Raises `MissingError` where the model is not in the store; the worker then starts without it.
        """

    def run(self, request: Any, context: Context) -> Any:
        """Do one call: the stage's request in, its result out. May raise any `CpwError`."""
