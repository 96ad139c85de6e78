"""What waits for the bridge is bounded: beats go first, and then the session has to end."""

from __future__ import annotations

from cluster.carriage.outbox import Outbox
from cluster.carriage.parcels import Unpacker

HELLO = [b"", b"CPW", b"1", b"NodeHello", b"", b""]


def message(kind: str, body: bytes = b"") -> list[bytes]:
    return [b"w.1.a@n", b"CPW", b"1", kind.encode(), b"", body]


def emptied(outbox: Outbox) -> list[list[bytes]]:
    unpacker = Unpacker()
    found: list[list[bytes]] = []
    while parcel := outbox.take():
        found += unpacker.feed(parcel)
    return found


def test_what_is_from_before_the_sessions_first_word_is_dropped() -> None:
    outbox = Outbox()
    outbox.put(message("Result", b"of the session before"))
    assert not outbox
    for frames in (HELLO, message("Hello")):
        outbox.put(frames)
    assert outbox
    assert emptied(outbox) == [HELLO, message("Hello")]
    assert not outbox


def test_a_full_outbox_lets_go_of_beats_and_echoes_and_of_nothing_else() -> None:
    outbox = Outbox(most_messages=4)
    echo = [b"w.1.a@n/pulse", b"1"]
    kept = [HELLO, message("Result", b"1"), message("Progress")]
    for frames in (HELLO, message("State"), kept[1], echo, message("Progress")):
        outbox.put(frames)
    assert not outbox.is_lost
    assert emptied(outbox) == kept


def test_where_beats_are_not_enough_the_session_is_lost_and_memory_is_freed() -> None:
    outbox = Outbox(most_bytes=1_000)
    outbox.put(HELLO)
    outbox.put(message("Result", b"x" * 600))
    assert not outbox.is_lost
    outbox.put(message("Result", b"x" * 600))
    assert outbox.is_lost
    assert emptied(outbox) == []


def test_what_was_taken_makes_room() -> None:
    outbox = Outbox(most_bytes=1_000)
    outbox.put(HELLO)
    for _ in range(5):
        outbox.put(message("Result", b"x" * 600))
        assert emptied(outbox)
    assert not outbox.is_lost
