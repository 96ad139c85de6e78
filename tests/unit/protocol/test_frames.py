"""Messages as frames; whatever the bytes, only `WireError` comes out."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.errors import SchemaError, VersionError, WireError
from protocol.frames import MAX_MESSAGE_BYTES, Header, decode, encode
from protocol.messages import Progress

HEADER = Header(run="7", request="r", job="j", step="asr", attempt=2)


def test_a_message_survives_the_wire() -> None:
    envelope = decode(encode("Progress", HEADER, Progress(fraction=0.5, note="नमस्ते")))
    assert envelope.type == "Progress"
    assert envelope.header == HEADER
    assert envelope.body == {"fraction": 0.5, "note": "नमस्ते", "interruptible": False}


def test_another_version_is_told_from_rubbish() -> None:
    frames = encode("Ack", HEADER, {})
    frames[1] = b"99"
    with pytest.raises(VersionError, match="speaks wire version '99'"):
        decode(frames)


def test_an_extension_type_is_refused() -> None:
    frames = encode("Ack", HEADER, {})
    frames[4] = msgpack.packb({"x": msgpack.ExtType(1, b"code")})
    with pytest.raises(WireError, match="not msgpack"):
        decode(frames)


def test_a_message_over_the_limit_is_not_sent() -> None:
    with pytest.raises(WireError, match="over the limit"):
        encode("Ack", HEADER, {"x": b"0" * MAX_MESSAGE_BYTES})


def test_a_header_of_the_wrong_type_is_named() -> None:
    frames = encode("Ack", HEADER, {})
    frames[3] = msgpack.packb({"attempt": "two"})
    with pytest.raises(SchemaError, match=r"header\.attempt"):
        decode(frames)


@given(st.lists(st.binary(max_size=200), max_size=8))
def test_any_frames_are_a_message_or_a_wire_error(frames: list[bytes]) -> None:
    with pytest.raises(WireError):
        decode(frames)


@given(st.integers(0, 4), st.binary(max_size=100))
def test_any_damage_to_one_frame_is_a_message_or_a_wire_error(index: int, damage: bytes) -> None:
    frames = encode("Progress", HEADER, Progress(fraction=0.5))
    frames[index] = damage
    try:
        decode(frames)
    except WireError:
        return
