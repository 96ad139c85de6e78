"""What the worker's daemon and the engines know of each other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from protocol.artefacts import Artefact

__all__ = ["Context", "Engine", "ModelKey", "Models"]


@dataclass(frozen=True, kw_only=True)
class ModelKey:
    """Two loaded models with equal keys are the same model."""

    kind: str
    """What the loader makes: `whisper`, `vad`, `wav2vec2` ..."""
    model: str
    """Id in the model store."""
    device: str
    compute_type: str

    def __str__(self) -> str:
        """Return the key as health shows it: `whisper:whisper-base@cpu/int8`."""
        return f"{self.kind}:{self.model}@{self.device}/{self.compute_type}"


class Models(Protocol):
    """The models of one worker: each is loaded once and kept, and all engines share it."""

    def path(self, model: str) -> Path:
        """Return the folder of the model in the store; `MissingError` where it is not there."""

    def has(self, model: str) -> bool:
        """Return whether the store has the whole model."""

    def get(self, key: ModelKey, load: Callable[[], Any]) -> Any:
        """Return the loaded model; only the first time, call `load` for it."""

    def threads(self) -> int:
        """Return with how many threads to compute now.

        The number falls while other workers run calls, and rises again: ask at every batch.
        """

    def most_threads(self) -> int:
        """Return how many threads a call gets at most: for what is fixed when a model is loaded."""


class Context(Protocol):
    """What a running call may use."""

    models: Models
    debug: bool

    def input(self, artefact: Artefact) -> Path:
        """Return the absolute path of an input, its presence and size checked (`InputError`)."""

    def output(self, name: str) -> Path:
        """Return the path in the scratch folder at which to write the file `name`."""

    def kept(self, name: str) -> Path:
        """Return the path of a file that outlives the call, for a part of the work that is dear.

        Where the call fails or its worker dies, the next attempt at the step finds the file under the same
        name. It goes when the step is done. Write it whole (`protocol.artefacts.write_json`), and under a
        name that tells what it is of: the step may have other settings or inputs by then.
        """

    def publish(self, name: str) -> Artefact:
        """Sync and hash the file `name` of the scratch folder, and put it into the call's manifest."""

    def progress(self, fraction: float, note: str = "") -> None:
        """Tell how far the call is, 0 to 1; raises `CancelledError` where somebody cancelled the call."""


class Engine(Protocol):
    """A class that does the work of a stage. It is made once, without arguments, in the worker's main thread.

    Model libraries are imported in `warm` and `run`, and never when the module is imported.
    """

    stage: str
    # It may have `interruptible = True`: then another call may be done inside its calls of
    # `Context.progress`, by any of the engines, itself too, with the same models. It makes these calls in the
    # thread that called `run`.

    def warm(self, models: Models, model: str | None) -> None:
        """Import the libraries, and load what the first call will need (`model` is the spec's default).

        Raises `MissingError` where the store does not have the model; the worker then starts without it.
        """

    def run(self, request: Any, context: Context) -> Any:
        """Do one call: take the stage's request, return its result. May raise any `CpwError`."""
