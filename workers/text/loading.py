"""Translation models of transformers, loaded from the store and put on a device. torch only in functions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from protocol.errors import MissingError, UsageError
from workers.engine import Models
from workers.placement import Placement
from workers.text.positions import wrong_positions
from workers.torch_devices import torch_device

__all__ = ["TranslationModel", "cannot_be_loaded", "choose_placement", "load_translation_model"]

_COMPUTE_TYPES = {
    "cpu": ("float32", "bfloat16"),
    "mps": ("float32", "float16"),
    "cuda": ("float16", "bfloat16", "float32"),
}
"""The types of numbers that a device computes well with; the first is the usual one."""


@dataclass(frozen=True, kw_only=True)
class TranslationModel:
    """A loaded model and its tokenizer."""

    model: Any
    """A `PreTrainedModel` that generates."""
    tokenizer: Any
    most_source_tokens: int
    """The longest text that the model reads has so many tokens, tags and end included."""
    most_target_tokens: int
    """The longest translation that the model writes has so many tokens, without the one that starts it."""


def choose_placement(device: str, compute_type: str) -> Placement:
    """Return where to translate; `auto` is cuda with float16, else mps or cpu with float32.

    Raises `UsageError` for a device that the machine does not have, or numbers that the device cannot use.
    """
    device = torch_device(device)
    possible = _COMPUTE_TYPES[device.partition(":")[0]]
    if compute_type not in ("auto", *possible):
        message = f"Translating on {device} is not possible with {compute_type!r}."
        raise UsageError(message, f"Write auto, or one of {', '.join(possible)}.")
    return Placement(device=device, compute_type=possible[0] if compute_type == "auto" else compute_type)


def load_translation_model(
    models: Models,
    identity: str,
    where: Placement,
    environment: str,
    read: Callable[[Path], TranslationModel],
) -> TranslationModel:
    """Return the model with this id, which is loaded once; `read` makes it of its folder, on the processor.

    Raises `MissingError` where the store does not have the model, or it cannot be used.
    """
    folder = models.path(identity)

    def load() -> TranslationModel:
        try:
            loaded = read(folder)
        except (OSError, ValueError) as error:
            raise cannot_be_loaded(identity, error) from error
        if wrong := wrong_positions(loaded.model):
            message = f"The model {identity} was loaded with a wrong table of positions: {wrong}."
            remedy = (
                f"cpw envs build {environment}; if that does not help: cpw models fetch --again {identity}"
            )
            raise MissingError(f"{message} It would translate into nonsense.", remedy)
        return replace(loaded, model=loaded.model.to(where.device))

    found: TranslationModel = models.get(where.key(environment, identity), load)
    return found


def cannot_be_loaded(identity: str, error: Exception) -> MissingError:
    """Return the error that tells a person so, with the first line of its cause."""
    why = (str(error).splitlines() or [type(error).__name__])[0]
    message = f"The model {identity} cannot be loaded: {why}"
    return MissingError(message, f"cpw models fetch --again {identity}")
