"""One model on its way into the store: what all its sources share."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from envspecs.models.registry import Model, StoredFile
from envspecs.report import Report
from protocol.errors import InputError

__all__ = ["DOWNLOADED", "FetchJob", "stored_bytes"]

DOWNLOADED = "downloaded"
"""In the staging folder, what a hub has sent: it outlives a fetch that is broken off."""


@dataclass(frozen=True, kw_only=True)
class FetchJob:
    """One model on its way into the store."""

    model: Model
    root: Path
    staging: Path
    """Inside the store, so that the rename at the end stays on one disk."""
    lock: int
    report: Report
    recorded: Mapping[str, StoredFile]
    """The hashes of an earlier fetch from the same source; a later one must find the same."""
    revision: str
    """The commit of a hub's repository that an earlier fetch recorded; empty where there was none."""
    registry: dict[str, Model] | None
    """The one that the fetch was told of; None: the project's."""

    def check(self, file: str, found: StoredFile, expected: StoredFile) -> None:
        """Raise `InputError` where a file is not the one that is expected."""
        if found != expected:
            message = (
                f"The file {file} of {self.model.id} is not the one that is expected: "
                f"expected sha256 {expected.sha256} ({expected.size} bytes), "
                f"got {found.sha256} ({found.size} bytes). It was not kept."
            )
            raise InputError(message, "Fetch it from another source, or ask who serves it.")


def stored_bytes(folder: Path) -> int:
    """Return how much room the files below the folder take; 0 where it is not there."""
    total = 0
    for file in folder.rglob("*"):
        # A file that is being renamed at this moment is counted the next time.
        with suppress(OSError):
            total += file.lstat().st_size if file.is_file() else 0
    return total
