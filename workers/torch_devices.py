"""Where torch computes: `auto` settled, and a device that is not here refused."""

from __future__ import annotations

from protocol.errors import UsageError

__all__ = ["torch_device"]


def torch_device(asked: str) -> str:
    """Return `cpu`, `cuda`, `cuda:<index>` or `mps`; `auto` is cuda, else mps, else cpu.

    Raises `UsageError` for a word that is no device and for a device that this machine has not.
    """
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    metal = torch.backends.mps.is_available()
    if asked == "auto":
        return "cuda" if count else "mps" if metal else "cpu"
    kind, _, index = asked.partition(":")
    if kind not in {"cpu", "cuda", "mps"} or (index and not (kind == "cuda" and index.isdigit())):
        message = f"{asked!r} is not a device."
        raise UsageError(message, "Write auto, cpu, mps, cuda or cuda:<number>.")
    if kind == "cuda" and int(index or 0) >= count:
        message = f"The device {asked} is not here: {count} cuda devices are."
        raise UsageError(message, "Write auto or cpu.")
    if kind == "mps" and not metal:
        message = "The device mps is not here: only Apple's own processors have it."
        raise UsageError(message, "Write auto or cpu.")
    return asked
