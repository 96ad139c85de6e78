"""Where a model computes, and with which numbers. Imports no model library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from protocol.errors import UsageError
from workers.engine import ModelKey

__all__ = ["Placement", "ctranslate2_placement", "refuse_unknown_device"]


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A device, and the type of the numbers on it."""

    device: str
    """`cpu`, `mps` (Apple's GPU), `cuda` or `cuda:<index>`."""
    compute_type: str
    """The name that the model's library has for the type: `float16`, `int8` ..."""

    @property
    def kind(self) -> str:
        """Return `cpu`, `mps` or `cuda`."""
        return self.device.partition(":")[0]

    @property
    def index(self) -> int:
        """Return the number of the cuda device, 0 where none is named."""
        return int(self.device.partition(":")[2] or 0)

    def key(self, kind: str, model: str) -> ModelKey:
        """Return the key under which the worker keeps a model that computes here."""
        return ModelKey(kind=kind, model=model, device=self.device, compute_type=self.compute_type)


def refuse_unknown_device(asked: str, kinds: Sequence[str], cuda_count: int) -> None:
    """Raise `UsageError` for a word that is no device, and for a cuda device that the machine does not have.

    `kinds` are the devices that the library can use, `cuda` among them; `cuda_count` is how many cuda devices
    it finds.
    """
    kind, _, index = asked.partition(":")
    if kind not in kinds or (index and not (kind == "cuda" and index.isdigit())):
        message = f"{asked!r} is not a device."
        raise UsageError(message, f"Write auto, {', '.join(kinds)} or cuda:<number>.")
    if kind == "cuda" and int(index or 0) >= cuda_count:
        message = f"This machine does not have the device {asked}: it has {cuda_count} cuda devices."
        raise UsageError(message, "Write auto or cpu.")


def ctranslate2_placement(
    library: Any, device: str, compute_type: str, usual: Mapping[str, str], cuda_count: int
) -> Placement:
    """Return where to compute with CTranslate2; `auto` is cuda where there is such a device, else cpu.

    `library` is the module; `usual` has the compute type that `auto` is on `cuda` and on `cpu`. Raises
    `UsageError` for a device that the machine does not have, or numbers that the device cannot use.
    """
    if device == "auto":
        device = "cuda" if cuda_count else "cpu"
    refuse_unknown_device(device, ("cpu", "cuda"), cuda_count)
    kind = device.partition(":")[0]
    where = Placement(device=device, compute_type=usual[kind] if compute_type == "auto" else compute_type)
    possible = library.get_supported_compute_types(where.kind, where.index)
    if where.compute_type not in possible:
        message = f"The device {device} cannot compute with {where.compute_type!r}."
        raise UsageError(message, f"Write auto, or one of {', '.join(sorted(possible))}.")
    return where
