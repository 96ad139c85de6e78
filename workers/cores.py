"""How many processor cores there are for a worker that is told no number of threads."""

from __future__ import annotations

import os
import sys

__all__ = ["usable_cores"]


def usable_cores() -> int:
    """Return the number; `os.cpu_count` would count all cores of the machine, also those kept from us."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
