"""Where torch computes, and with how many threads: what `auto` is, which devices are refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from protocol.errors import UsageError
from workers.engine import Models
from workers.placement import refuse_unknown_device

__all__ = ["compute_alone", "is_out_of_memory", "sharing_cores", "torch_device", "use_given_cores"]

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


def use_given_cores(models: Models) -> None:
    """Let torch compute with as many threads as the call may keep busy now.

    Called between two batches, in the thread that computes. torch never gets more than it takes by itself:
    that is one a core and not one a hyper-thread, or what a person set by `OMP_NUM_THREADS`.
    """
    import torch

    threads = min(models.threads(), _own_threads(torch))
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)


def compute_alone() -> None:
    """Let torch compute with one thread in the thread that calls this: others compute at the same time."""
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


@cache
def _own_threads(torch: Any) -> int:
    """Return how many threads torch takes by itself; asked before anybody has set another number."""
    return int(torch.get_num_threads())


def sharing_cores(models: Models, progress: Callable[[float], None]) -> Callable[[float], None]:
    """Return `progress` as a function that calls `use_given_cores`, too."""

    def tell(share: float) -> None:
        use_given_cores(models)
        progress(share)

    return tell
