"""Says in this process's own output which call the lines that follow belong to."""

from __future__ import annotations

import ctypes
import os
import sys

from protocol.marks import Mark, render_mark

__all__ = ["Output"]

_STDOUT = 1


class Output:
    """Marks the stream that the guardian reads; without a nonce (no guardian) it does nothing."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce

    def belongs_to(self, mark: Mark) -> None:
        """Lines from here on belong to the call that `mark` names."""
        if not self._nonce:
            return
        _flush()
        os.write(_STDOUT, render_mark(mark, self._nonce))

    def belongs_to_nobody(self) -> None:
        """Lines from here on belong to no call."""
        self.belongs_to(Mark())


def _flush() -> None:
    # What libraries have buffered still belongs to the call before: Python's buffers and C's.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ctypes.CDLL(None).fflush(None)
