"""How the time of a piece of work grows with its size: a limit that holds on every machine."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

_Size = TypeVar("_Size")
_TIMES = 2


def growth(work: Callable[[_Size], object], small: _Size, large: _Size) -> float:
    """Return how many times as much of the processor `large` takes as `small`: the better of two runs each.

    Work ten times as large takes about 10 times as long where its time grows with its size,
    and about 100 times where each part of it looks at all the others.
    """
    return _least_s(work, large) / _least_s(work, small)


def _least_s(work: Callable[[_Size], object], size: _Size) -> float:
    return min(_taken_s(work, size) for _ in range(_TIMES))


def _taken_s(work: Callable[[_Size], object], size: _Size) -> float:
    begun = time.process_time()
    work(size)
    return time.process_time() - begun
