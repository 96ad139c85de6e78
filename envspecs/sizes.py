"""What a build takes on the disk."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Taken", "human", "taken_by"]

_UNITS = ("B", "KB", "MB", "GB", "TB")


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Files of folders, each once, by device and inode; sizes in bytes as the disk counts them.

    uv links a package's files from its cache: files of several builds take their space once, and it is freed
    when the last build and the cache have removed them.
    """

    files: dict[tuple[int, int], int] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """Return what all files together take."""
        return sum(self.files.values())

    def __or__(self, other: Taken) -> Taken:
        """Return what both take, shared files once."""
        return Taken(files=self.files | other.files)


def taken_by(folder: Path) -> Taken:
    """Return what the folder takes; links to other places are not followed."""
    files = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(os.path.join(place, name))  # noqa: PTH118 (tens of thousands of them)
            except OSError:
                continue
            files[found.st_dev, found.st_ino] = found.st_blocks * 512
    return Taken(files=files)


def human(size: int) -> str:
    """Return a number of bytes as a person reads it: `7.8 GB`."""
    value, unit = float(size), _UNITS[0]
    for unit in _UNITS:
        if value < 1000 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.1f} {unit}" if value < 10 and unit != "B" else f"{value:.0f} {unit}"
