"""Where torch computes, and with how many threads: what `auto` is, which devices are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar

from protocol.errors import UsageError
from workers.engine import Models
from workers.lanes import busy_lanes, share_threads, side_by_side
from workers.placement import Placement, refuse_unknown_device

__all__ = [
    "TorchLanes",
    "compute_with",
    "is_out_of_memory",
    "sharing_cores",
    "torch_device",
    "use_given_cores",
]

_Piece = TypeVar("_Piece")
_Found = TypeVar("_Found")

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


def compute_with(threads: int) -> None:
    """Let torch compute with so many threads in the thread that calls this: others compute at the same time.

    The library for large matrices (MKL) takes the last number that any thread has set.
    """
    import torch

    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)


@dataclass(frozen=True, kw_only=True)
class TorchLanes:
    """The pieces of a call side by side, each computed by torch with few threads.

    torch's own threads wait for one another in each small step, the longer the busier the machine is.
    """

    models: Models
    where: Placement
    most: int = 0
    """So many lanes at most; 0: as many as the call may have cores."""

    def side_by_side(
        self,
        work: Callable[[_Piece, Callable[[], None]], _Found],
        pieces: Iterable[_Piece],
        count: int,
        tick: Callable[[int], None],
    ) -> Iterator[_Found]:
        """Yield what `work` makes of the `count` pieces, as `workers.lanes.side_by_side` does.

        On a GPU they are done one by one, in the caller's thread.
        """
        lanes, threads = self.shared_out(count)

        def begin(piece: _Piece, check: Callable[[], None]) -> _Found:
            if lanes:
                compute_with(threads)
            else:
                use_given_cores(self.models)
            return work(piece, check)

        return side_by_side(
            begin, pieces, lanes, tick, lambda: busy_lanes(lanes, threads, self.models.threads())
        )

    def shared_out(self, count: int) -> tuple[int, int]:
        """Return how many lanes `count` pieces have, and how many threads each of them.

        Few pieces have no more threads each: the last bits of what torch computes change with their number.
        """
        if self.where.kind != "cpu":
            return 0, 0
        import torch

        threads = min(self.models.most_threads(), _own_threads(torch))
        lanes, _ = share_threads(threads, self.where)
        lanes = min(lanes, self.most or lanes)
        return max(1, min(lanes, count)), threads // lanes


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
