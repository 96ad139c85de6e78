"""Sound without a head, as Bazarr sends it: it gets one on its way to the disk."""

from __future__ import annotations

import struct

from clients.api.bodies import Arriving

__all__ = ["RawSound", "wave_head"]

_RATE, _BYTES_A_SAMPLE = 16_000, 2
_HEAD_BYTES = 44
_MOST_BYTES = 2**32 - 1 - 36
"""A WAV file says no larger size; what reads it goes on to the file's end."""
_RIFF = b"RIFF"


class RawSound:
    """Takes s16le samples, mono, 16 kHz, and makes a WAV file of them; a file that is one stays as it is."""

    def __init__(self, arriving: Arriving) -> None:
        self._arriving = arriving
        self._begin: bytes | None = b""
        self._size = 0
        self._is_raw = True

    async def add(self, part: bytes) -> None:
        """Take the next bytes."""
        if self._begin is None:
            self._size += len(part)
            await self._arriving.add(part)
            return
        self._begin += part
        if len(self._begin) >= len(_RIFF):
            await self._decide(self._begin)

    async def _decide(self, begin: bytes) -> None:
        self._begin = None
        self._is_raw = not begin.startswith(_RIFF)
        if self._is_raw:
            await self._arriving.add(wave_head(0))
        await self.add(begin)

    async def end(self) -> int | None:
        """Write the sizes into the head; return the length in milliseconds, where that is known."""
        if self._begin:
            await self._decide(self._begin)
        if not self._is_raw or not self._size:
            return None
        await self._arriving.amend(0, wave_head(self._size))
        return self._size * 1000 // (_RATE * _BYTES_A_SAMPLE)


def wave_head(size: int) -> bytes:
    """Return the head of a WAV file with so many bytes of samples."""
    said = min(size, _MOST_BYTES)
    form = struct.pack("<HHIIHH", 1, 1, _RATE, _RATE * _BYTES_A_SAMPLE, _BYTES_A_SAMPLE, 8 * _BYTES_A_SAMPLE)
    head = _RIFF + struct.pack("<I", said + _HEAD_BYTES - 8) + b"WAVEfmt " + struct.pack("<I", len(form))
    return head + form + b"data" + struct.pack("<I", said)
