"""Where torch computes: which device `auto` is, and which devices are refused."""

from __future__ import annotations

from protocol.errors import UsageError
from workers.placement import refuse_unknown_device

__all__ = ["is_out_of_memory", "torch_device"]

_OUT_OF_MEMORY = ("out of memory", "can't allocate memory", "not enough memory")
"""How torch's allocators say it: in a RuntimeError or, for CUDA, in a class under it."""


def torch_device(asked: str) -> str:
    """Return `cpu`, `cuda`, `cuda:<index>` or `mps`; `auto` is cuda, else mps, else cpu.

    Raises `UsageError` for a word that is no device and for a device that this machine does not have.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    metal = torch.backends.mps.is_available()
    if asked == "auto":
        return "cuda" if count else "mps" if metal else "cpu"
    refuse_unknown_device(asked, ("cpu", "mps", "cuda"), count)
    if asked == "mps" and not metal:
        message = "This machine does not have the device mps: only Apple's own processors have it."
        raise UsageError(message, "Write auto or cpu.")
    return asked


def is_out_of_memory(error: RuntimeError) -> bool:
    """Return whether one of torch's allocators raised the error because memory ran out."""
    return any(words in str(error).lower() for words in _OUT_OF_MEMORY)
