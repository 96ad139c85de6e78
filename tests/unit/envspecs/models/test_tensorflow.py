"""A checkpoint of TensorFlow, written here as its tools write it, becomes safetensors or is refused."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from envspecs.models.tensorflow import INDEX, NUMBERS, WRITTEN, convert_checkpoint
from protocol.errors import InputError

MAGIC = bytes.fromhex("57fb808b247547db")
FLOAT, LONG = 1, 9


def varint(value: int) -> bytes:
    found = b""
    while value > 0x7F:
        found += bytes([value & 0x7F | 0x80])
        value >>= 7
    return found + bytes([value])


def field(number: int, value: int | bytes) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def entry(kind: int, shape: tuple[int, ...], offset: int, size: int, *more: bytes) -> bytes:
    dimensions = b"".join(field(2, field(1, length)) for length in shape)
    checksum = varint(6 << 3 | 5) + b"\0\0\0\0"
    return (
        field(1, kind) + field(2, dimensions) + field(4, offset) + field(5, size) + checksum + b"".join(more)
    )


def block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    """Write keys by what differs from the one before, and one restart."""
    found, before = b"", b""
    for key, value in pairs:
        shared = next(
            (at for at, (one, other) in enumerate(zip(key, before, strict=False)) if one != other),
            min(len(key), len(before)),
        )
        own = key[shared:]
        found += varint(shared) + varint(len(own)) + varint(len(value)) + own + value
        before = key
    return found + struct.pack("<II", 0, 1)


def index(pairs: list[tuple[bytes, bytes]], compression: int = 0) -> bytes:
    content = block(pairs)
    table = content + bytes([compression]) + bytes(4)
    at = len(table)
    blocks = block([(b"z", varint(0) + varint(len(content)))])
    table += blocks + bytes(5)
    handles = varint(0) + varint(0) + varint(at) + varint(len(blocks))
    return table + handles.ljust(40, b"\0") + MAGIC


def checkpoint(folder: Path, pairs: list[tuple[bytes, bytes]], numbers: bytes, **options: int) -> Path:
    (folder / INDEX).write_bytes(index(pairs, **options))
    (folder / NUMBERS).write_bytes(numbers)
    return folder


def read(path: Path) -> dict[str, tuple[list[int], tuple[float, ...]]]:
    content = path.read_bytes()
    (length,) = struct.unpack_from("<Q", content)
    header = json.loads(content[8 : 8 + length])
    found = {}
    for name, about in header.items():
        if name != "__metadata__":
            start, end = (8 + length + place for place in about["data_offsets"])
            numbers = struct.unpack(f"<{(end - start) // 4}f", content[start:end])
            found[name] = (about["shape"], numbers)
    return found


WHOLE = [
    (b"", field(1, 1)),
    (b"net/bias", entry(FLOAT, (2,), 0, 8)),
    (b"net/kernel", entry(FLOAT, (1, 3), 8, 12)),
    (b"step", entry(LONG, (), 20, 8)),
]
NUMBERS_OF = struct.pack("<5fq", 1, 2, 3, 4, 5, 77)


def test_the_numbers_come_out_under_their_names_and_what_is_no_float_is_left_out(tmp_path) -> None:
    told = []
    convert_checkpoint(
        checkpoint(tmp_path, WHOLE, NUMBERS_OF), tmp_path, lambda done, total: told.append((done, total))
    )
    assert read(tmp_path / WRITTEN) == {"net/bias": ([2], (1, 2)), "net/kernel": ([1, 3], (3, 4, 5))}
    assert told == [(8, 20), (20, 20)]


@pytest.mark.parametrize(
    ("pairs", "numbers", "options", "said"),
    [
        (WHOLE, NUMBERS_OF[:16], {}, "it ends before net/kernel"),
        (WHOLE, NUMBERS_OF, {"compression": 1}, "it is compressed"),
        ([(b"a", entry(FLOAT, (2,), 0, 12))], NUMBERS_OF, {}, "a has 12 bytes"),
        ([(b"a", entry(FLOAT, (2,), 0, 8, field(3, 1)))], NUMBERS_OF, {}, "a lies in several parts"),
        ([(b"a", bytes([1 << 3 | 3, 0]))], NUMBERS_OF, {}, "unknown kind 3"),
    ],
)
def test_what_is_no_whole_checkpoint_is_refused_in_a_sentence(
    tmp_path, pairs, numbers, options, said
) -> None:
    folder = checkpoint(tmp_path, pairs, numbers, **options)
    with pytest.raises(InputError, match=said):
        convert_checkpoint(folder, tmp_path, lambda _done, _total: None)
    assert not (tmp_path / WRITTEN).exists()


def test_an_index_that_is_cut_short_or_none_is_refused(tmp_path) -> None:
    folder = checkpoint(tmp_path, WHOLE, NUMBERS_OF)
    whole = (folder / INDEX).read_bytes()
    for damaged in (b"", whole[:-1], whole[60:], bytes(len(whole) - 8) + MAGIC):
        (folder / INDEX).write_bytes(damaged)
        with pytest.raises(InputError, match=r"model\.index is no part of a checkpoint"):
            convert_checkpoint(folder, tmp_path, lambda _done, _total: None)
