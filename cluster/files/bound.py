"""What a node keeps of the head's files, and what of it goes where there is too much: a pure decision."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Kept", "taken", "what_goes"]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A file of the cache, or a job's folder on the node."""

    path: Path
    used_ns: int
    """When it was last used, in nanoseconds since 1970."""
    files: Mapping[tuple[int, int], int] = field(default_factory=dict)
    """Device and inode to what the disk holds of it, in bytes: a linked file is in several."""
    in_use: bool = False
    """A running call needs it."""


def taken(kept: Iterable[Kept]) -> int:
    """Return what all together take of the disk, in bytes: a file that several hold takes its space once."""
    return sum({file: size for thing in kept for file, size in thing.files.items()}.values())


def what_goes(kept: Sequence[Kept], most_bytes: int) -> list[Kept]:
    """Return what is to be removed, the oldest use first, until the rest takes no more than `most_bytes`.

    A file takes its space once, and it is freed when the last that holds it has gone. What a running call
    needs stays, and so does what would free nothing because a running call holds the same files.
    """
    holders = Counter(file for thing in kept for file in thing.files)
    sizes = {file: size for thing in kept for file, size in thing.files.items()}
    needed = {file for thing in kept if thing.in_use for file in thing.files}
    left = sum(sizes.values())
    gone: list[Kept] = []
    for thing in sorted(kept, key=lambda thing: thing.used_ns):
        if left <= most_bytes:
            break
        if thing.in_use or (thing.files and thing.files.keys() <= needed):
            continue
        gone.append(thing)
        holders.subtract(thing.files.keys())
        left -= sum(sizes[file] for file in thing.files if not holders[file])
    return gone
