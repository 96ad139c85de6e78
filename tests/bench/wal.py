"""Watches what is written into a store's write-ahead log, by the index that SQLite keeps beside it.

The index begins with a header (https://www.sqlite.org/walformat.html): it counts transactions, and the frames
since the log began anew. A frame is a page and 24 bytes.
"""

from __future__ import annotations

import struct
import threading
from pathlib import Path
from types import TracebackType

__all__ = ["WalWatch"]

_EVERY_S = 0.005
_HEADER = struct.Struct("=8xI2xHI")
"""`iChange`, `szPage`, `mxFrame`."""
_FRAME_HEADER_BYTES = 24


class WalWatch:
    """A context manager; `commits` and `written`, in bytes, are those of the time that it was open."""

    def __init__(self, store: Path) -> None:
        self._index = store.with_name(f"{store.name}-shm")
        self.commits = self.written = 0
        self._seen = self._read()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> WalWatch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._add()

    def _look(self) -> None:
        while not self._done.wait(_EVERY_S):
            self._add()

    def _read(self) -> tuple[int, int, int]:
        with self._index.open("rb") as index:
            changes, page, frames = _HEADER.unpack(index.read(_HEADER.size))
        return changes, page, frames

    def _add(self) -> None:
        changes, page, frames = self._read()
        before, _, frames_before = self._seen
        self._seen = (changes, page, frames)
        self.commits += changes - before
        # Fewer than before: the log began anew.
        new = frames - frames_before if frames >= frames_before else frames
        self.written += new * (page + _FRAME_HEADER_BYTES)
