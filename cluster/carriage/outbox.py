"""What a node has to say to the head, until the bridge takes it: bounded, in order, from NodeHello on.

A full outbox first lets go of what is only shown, or said again soon: beats, echoes. Where that is not
enough, the session has to end: a worker says a result again after the next Welcome, never within a session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from cluster.carriage.parcels import PARCEL_BYTES, Packer, size_of
from protocol.cluster.messages import NodeBeat, NodeHello

__all__ = ["MOST_BYTES", "MOST_MESSAGES", "Outbox"]

MOST_BYTES = 64 * 1024 * 1024
MOST_MESSAGES = 20_000
_HELLO = NodeHello.__name__.encode()
_BEATS = frozenset({NodeBeat.__name__.encode(), b"State"})
_ECHO_FRAMES = 2
_TYPE = 3
"""Place of the type in the frames; the sender's id stands before the message."""


class Outbox:
    """The messages of one session. Not thread-safe: whoever shares it holds a lock."""

    def __init__(self, most_bytes: int = MOST_BYTES, most_messages: int = MOST_MESSAGES) -> None:
        self._most_bytes = most_bytes
        self._most_messages = most_messages
        self._waiting: deque[Sequence[bytes]] = deque()
        self._packer = Packer()
        self._bytes = 0
        self._has_begun = False
        self.is_lost = False
        """Something had to be dropped that is not said again within this session."""

    def __bool__(self) -> bool:
        return bool(self._waiting) or self._packer.size > 0

    def put(self, frames: Sequence[bytes]) -> None:
        """Add a message, unless it is from before the session's first word."""
        if not self._has_begun:
            # The relay's thread may still be saying what belonged to the session before.
            self._has_begun = _type_of(frames) == _HELLO
            if not self._has_begun:
                return
        self._waiting.append(frames)
        self._bytes += size_of(frames)
        if self._is_full():
            self._make_room()

    def take(self) -> bytes:
        """Return the next parcel; empty where there is nothing to say."""
        while self._waiting and self._packer.size < PARCEL_BYTES:
            frames = self._waiting.popleft()
            self._bytes -= size_of(frames)
            self._packer.put(frames)
        return self._packer.take()

    def _is_full(self) -> bool:
        return self._bytes > self._most_bytes or len(self._waiting) > self._most_messages

    def _make_room(self) -> None:
        self._waiting = deque(frames for frames in self._waiting if not _is_beat(frames))
        self._bytes = sum(size_of(frames) for frames in self._waiting)
        if self._is_full():
            self._waiting.clear()
            self._bytes = 0
            self.is_lost = True


def _type_of(frames: Sequence[bytes]) -> bytes:
    return frames[_TYPE] if len(frames) > _TYPE else b""


def _is_beat(frames: Sequence[bytes]) -> bool:
    return len(frames) == _ECHO_FRAMES or _type_of(frames) in _BEATS
