"""Messages as one stream of bytes, cut into parcels that Ray carries inside a call.

What is larger than Ray's limit for a call's arguments and answers (100 KB) goes through its object store, on
disk where that is full. No parcel is so large; a message that is goes in several.

The stream of a session and direction: for each message the number of its frames, then for each frame its
length and its bytes; numbers have four bytes, the highest first.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from protocol.errors import WireError
from protocol.frames import MAX_MESSAGE_BYTES

__all__ = ["CARRIAGE", "PARCEL_BYTES", "Packer", "Unpacker", "size_of"]

CARRIAGE = 1
"""Number of this form; bridge and agent must have the same."""
PARCEL_BYTES = 64 * 1024
_MOST_FRAMES = 16
_MOST_BYTES = MAX_MESSAGE_BYTES + 4096
"""With the sender's name in front, and the lengths."""
_NUMBER = struct.Struct(">I")


def size_of(frames: Sequence[bytes]) -> int:
    """Return how many bytes of the stream the message takes."""
    return _NUMBER.size * (1 + len(frames)) + sum(len(frame) for frame in frames)


class Packer:
    """Messages on their way out, in order."""

    def __init__(self) -> None:
        self._stream = bytearray()

    @property
    def size(self) -> int:
        """Return how many bytes no parcel has taken yet."""
        return len(self._stream)

    def put(self, frames: Sequence[bytes]) -> None:
        """Add a message."""
        self._stream += _NUMBER.pack(len(frames))
        for frame in frames:
            self._stream += _NUMBER.pack(len(frame))
            self._stream += frame

    def take(self) -> bytes:
        """Return the next parcel, at most `PARCEL_BYTES`; empty where there is nothing."""
        parcel = bytes(self._stream[:PARCEL_BYTES])
        del self._stream[:PARCEL_BYTES]
        return parcel


class Unpacker:
    """Puts the messages of one session and direction together again."""

    def __init__(self) -> None:
        self._stream = bytearray()

    def feed(self, parcel: bytes) -> list[list[bytes]]:
        """Return the messages that are whole with this parcel; `WireError` for bytes that are none."""
        self._stream += parcel
        found: list[list[bytes]] = []
        at = 0
        while (message := self._message(at)) is not None:
            frames, at = message
            found.append(frames)
        del self._stream[:at]
        return found

    def _message(self, begin: int) -> tuple[list[bytes], int] | None:
        """Return the message that begins there, and where it ends; None: it is not whole."""
        count = self._number(begin)
        if count is None:
            return None
        if count > _MOST_FRAMES:
            message = f"A message has at most {_MOST_FRAMES} frames, this one {count}."
            raise WireError(message)
        places: list[tuple[int, int]] = []
        at = begin + _NUMBER.size
        for _ in range(count):
            length = self._number(at)
            if length is None:
                return None
            places.append((at + _NUMBER.size, at + _NUMBER.size + length))
            at = places[-1][1]
            if at - begin > _MOST_BYTES:
                message = f"A message has at most {MAX_MESSAGE_BYTES} bytes, this one {at - begin}."
                raise WireError(message)
        if at > len(self._stream):
            return None
        return [bytes(self._stream[start:end]) for start, end in places], at

    def _number(self, at: int) -> int | None:
        if at + _NUMBER.size > len(self._stream):
            return None
        return int(_NUMBER.unpack_from(self._stream, at)[0])
