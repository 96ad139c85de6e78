"""How many people a person says there are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from protocol.errors import UsageError

__all__ = ["MOST_SPEAKERS", "Bounds", "read_speakers"]

MOST_SPEAKERS = 50
_WRITTEN = re.compile(r"\s*(\d{1,4})\s*(?:-\s*(\d{1,4})\s*)?", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """So many people speak, at least and at most."""

    least: int = 1
    most: int = 0
    """0: nobody knows."""


def read_speakers(written: str) -> Bounds:
    """Return what `2`, `2-5` or an empty text says; `UsageError` for all else."""
    if not written.strip():
        return Bounds()
    found = _WRITTEN.fullmatch(written)
    if found is None:
        message = f"{written!r} is not a number of speakers."
        raise UsageError(message, "Write 2, or 2-5 for two to five; leave it out where nobody knows.")
    least = int(found[1])
    most = int(found[2] or found[1])
    if not 1 <= least <= most <= MOST_SPEAKERS:
        message = f"There cannot be {written.strip()} speakers."
        raise UsageError(message, f"Write one number or two, from 1 to {MOST_SPEAKERS}, the smaller first.")
    return Bounds(least=least, most=most)
