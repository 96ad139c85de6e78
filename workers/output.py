"""Marks, in the output of this process, to which call the next lines belong."""

from __future__ import annotations

import ctypes
import os
import sys

from protocol.marks import Mark, render_mark

__all__ = ["Output"]

_STDOUT = 1


class Output:
    """Writes marks into the stream that the guardian reads; without a nonce there is no guardian."""

    def __init__(self, nonce: str) -> None:
        self._nonce = nonce

    def belongs_to(self, mark: Mark) -> None:
        """The next lines belong to the call that `mark` names."""
        if not self._nonce:
            return
        _flush()
        os.write(_STDOUT, render_mark(mark, self._nonce))

    def belongs_to_no_call(self) -> None:
        """The next lines belong to no call."""
        self.belongs_to(Mark())


def _flush() -> None:
    # What libraries have left in the buffers of Python and C belongs to the call before.
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    ctypes.CDLL(None).fflush(None)
