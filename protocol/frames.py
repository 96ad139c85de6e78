"""Messages as frames: `CPW | version | type | header | body`. See docs/protocol.md.

No pickle and no msgpack extension types: what comes out is None, bool, int, float, str, bytes, list, dict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgpack

from protocol import OLDEST_SUPPORTED_VERSION, PROTOCOL_VERSION
from protocol.errors import SchemaError, VersionError, WireError
from protocol.schema import from_plain, to_plain

__all__ = ["MAX_MESSAGE_BYTES", "Envelope", "Header", "decode", "decode_message", "encode"]

MAGIC = b"CPW"
MAX_MESSAGE_BYTES = 16 * 1024 * 1024
_MAX_DEPTH_ITEMS = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Header:
    """Who a message is about; the same five fields stand in every log line."""

    run: str = ""
    """Epoch of the coordinator's start, or of the dispatch that a result answers."""
    request: str = ""
    """Chosen by the asker, given back by the answerer."""
    job: str = ""
    step: str = ""
    attempt: int = 0


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """A message taken apart: its type's name, its header, its body as plain values."""

    type: str
    header: Header
    body: dict[str, Any] = field(default_factory=dict)


def encode(type_name: str, header: Header, body: Any) -> list[bytes]:
    """Return the five frames of a message; `body` is a dataclass or a dict of plain values.

    Raises `WireError` where the message is larger than `MAX_MESSAGE_BYTES` or holds what cannot travel.
    """
    frames = [
        MAGIC,
        str(PROTOCOL_VERSION).encode(),
        type_name.encode(),
        _pack(header, type_name),
        _pack(body, type_name),
    ]
    size = sum(len(frame) for frame in frames)
    if size > MAX_MESSAGE_BYTES:
        message = f"A {type_name} message of {size} bytes is over the limit of {MAX_MESSAGE_BYTES}."
        raise WireError(message)
    return frames


def decode(frames: Sequence[bytes]) -> Envelope:
    """Take five frames apart.

    Raises `VersionError` where the version is not ours, `WireError` or `SchemaError` for anything that
    is not a message; nothing else, whatever the bytes.
    """
    if len(frames) != 5:
        message = f"A message has 5 frames, this one {len(frames)}."
        raise WireError(message)
    magic, version, type_name, raw_header, raw_body = frames
    if magic != MAGIC:
        message = f"A message starts with {MAGIC!r}, this one with {bytes(magic[:16])!r}."
        raise WireError(message)
    check_version(version)
    try:
        name = type_name.decode("ascii")
    except UnicodeDecodeError as error:
        message = "The message's type is not ASCII."
        raise WireError(message) from error
    header = from_plain(Header, _unpack(raw_header, "header"), path="header")
    body = _unpack(raw_body, "body")
    if not isinstance(body, dict):
        raise SchemaError("body", f"expected a table, got {type(body).__name__}")
    return Envelope(type=name, header=header, body=body)


def decode_message(frames: Sequence[bytes], kinds: Mapping[str, type]) -> tuple[Header, Any]:
    """Return the header and the message in `frames`; `kinds` maps type names to message classes.

    Raises as `decode` does, and `WireError` for a type that `kinds` has not.
    """
    envelope = decode(frames)
    kind = kinds.get(envelope.type)
    if kind is None:
        message = f"There is no message {envelope.type!r}."
        raise WireError(message)
    return envelope.header, from_plain(kind, envelope.body)


def check_version(version: bytes) -> None:
    """Raise `VersionError` unless `version` (ASCII digits) is one we speak."""
    text = version.decode("ascii", "replace")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else -1
    if not OLDEST_SUPPORTED_VERSION <= number <= PROTOCOL_VERSION:
        message = (
            f"The peer speaks wire version {text[:16]!r}, this side "
            f"{OLDEST_SUPPORTED_VERSION} to {PROTOCOL_VERSION}."
        )
        raise VersionError(message, "Its code is older or newer: cpw down && make up")


def _pack(value: Any, type_name: str) -> bytes:
    try:
        # A file's name or a library's message may hold what is not UTF-8: shown, rather than not sent.
        packed: bytes = msgpack.packb(to_plain(value), unicode_errors="backslashreplace")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        message = f"A {type_name} message cannot be sent: {type(error).__name__}: {error}"
        raise WireError(message) from error
    return packed


def _unpack(raw: bytes, what: str) -> Any:
    try:
        return msgpack.unpackb(
            raw,
            ext_hook=_refuse_extension,
            strict_map_key=True,
            max_array_len=_MAX_DEPTH_ITEMS,
            max_map_len=_MAX_DEPTH_ITEMS,
        )
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        message = f"The message's {what} is not msgpack: {type(error).__name__}."
        raise WireError(message) from error


def _refuse_extension(code: int, data: bytes) -> Any:
    message = f"msgpack extension type {code} ({len(data)} bytes) is not part of the protocol"
    raise ValueError(message)
