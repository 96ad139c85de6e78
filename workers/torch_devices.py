"""Where torch computes: the device for `auto`, and a refusal of devices that the machine does not have."""

from __future__ import annotations

from protocol.errors import UsageError
from workers.placement import refuse_unknown_device

__all__ = ["torch_device"]


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
