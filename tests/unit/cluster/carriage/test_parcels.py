"""Messages come out of a stream of parcels as they went in, whatever their sizes; other bytes are refused."""

from __future__ import annotations

import random

import pytest

from cluster.carriage.parcels import PARCEL_BYTES, Packer, Unpacker, size_of
from protocol.errors import WireError

MESSAGES = [
    [b"whisperx.1.a@n", b"CPW", b"1", b"State", b"header", b"body"],
    [b"", b"CPW", b"1", b"NodeBeat", b"", b""],
    [b"whisperx.1.a@n/pulse", b"\x00\xff"],
    [b"w@n", b"x" * (3 * PARCEL_BYTES + 17)],
    [],
]


def through(messages: list[list[bytes]]) -> list[list[bytes]]:
    packer, unpacker = Packer(), Unpacker()
    for message in messages:
        packer.put(message)
    assert packer.size == sum(map(size_of, messages))
    found: list[list[bytes]] = []
    while parcel := packer.take():
        assert len(parcel) <= PARCEL_BYTES
        found += unpacker.feed(parcel)
    assert packer.size == 0
    return found


def test_messages_come_out_as_they_went_in_and_in_order() -> None:
    assert through(MESSAGES) == MESSAGES


def test_a_message_may_be_cut_anywhere() -> None:
    packer = Packer()
    for message in MESSAGES:
        packer.put(message)
    stream = b""
    while parcel := packer.take():
        stream += parcel
    cuts = random.Random(4)
    for _ in range(50):
        unpacker, found, at = Unpacker(), [], 0
        while at < len(stream):
            end = at + cuts.choice([1, 2, 5, 50, 70_000])
            found += unpacker.feed(stream[at:end])
            at = end
        assert found == MESSAGES


@pytest.mark.parametrize(
    "stream", [b"\xff\xff\xff\xff", b"\0\0\0\1\xff\xff\xff\xff", b"\0\0\0\2\0\0\0\0\7\0\0\0"]
)
def test_bytes_that_are_no_stream_are_refused_before_memory_is_filled(stream: bytes) -> None:
    with pytest.raises(WireError):
        Unpacker().feed(stream)
