"""A checkpoint of TensorFlow to safetensors: the same numbers under the same names. Standard library only.

A checkpoint is an index and files of plain numbers; there is no code in either. The index is a table of
LevelDB (its `table_format.md`): blocks of keys and values, each followed by a byte that names its compression
and a checksum, and a footer of 48 bytes that says where the block of blocks is. A value is a
`BundleEntryProto` (TensorFlow's `tensor_bundle.proto`): type, shape, file, offset, size.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocol.errors import InputError

__all__ = ["INDEX", "NUMBERS", "WRITTEN", "convert_checkpoint"]

INDEX = "model.index"
NUMBERS = "model.data-00000-of-00001"
WRITTEN = "weights.safetensors"
_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER_BYTES = 48
_FLOAT = 1
"""`DT_FLOAT`; what else a checkpoint holds, such as the count of the steps of its training, is left out."""
_CHUNK_BYTES = 1 << 20
# Fields of BundleEntryProto and of TensorShapeProto.
_TYPE, _SHAPE, _FILE, _OFFSET, _SIZE, _SLICES = 1, 2, 3, 4, 5, 7
_DIMENSION = 2


@dataclass(frozen=True, kw_only=True)
class _Numbers:
    """Where the numbers of one tensor are."""

    name: str
    shape: tuple[int, ...]
    offset: int
    size: int


def convert_checkpoint(folder: Path, target: Path, progress: Callable[[int, int], None]) -> None:
    """Write `WRITTEN` into the folder `target`: the float32 tensors of the checkpoint in `folder`.

    `progress` is called with the bytes written and those to write. Raises `InputError` where the files are no
    whole checkpoint of one part.
    """
    index, numbers = folder / INDEX, folder / NUMBERS
    try:
        tensors = list(_tensors(index.read_bytes()))
    except (ValueError, IndexError, struct.error) as error:
        raise _damaged(index, str(error)) from error
    room = numbers.stat().st_size
    for tensor in tensors:
        if tensor.offset + tensor.size > room:
            raise _damaged(numbers, f"it ends before {tensor.name}")
    _write(numbers, target / WRITTEN, tensors, progress)


def _write(numbers: Path, path: Path, tensors: list[_Numbers], progress: Callable[[int, int], None]) -> None:
    """Write a safetensors file: the header's length (u64), the header (JSON), the tensors."""
    header: dict[str, object] = {"__metadata__": {"format": "tf"}}
    total = 0
    for tensor in tensors:
        offsets = [total, total + tensor.size]
        header[tensor.name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": offsets}
        total += tensor.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    done = 0
    with numbers.open("rb") as source, path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            source.seek(tensor.offset)
            left = tensor.size
            while left:
                done += file.write(source.read(min(_CHUNK_BYTES, left)))
                left -= min(_CHUNK_BYTES, left)
            progress(done, total)


def _tensors(index: bytes) -> Iterator[_Numbers]:
    """Yield the float32 tensors of the index; `ValueError` where it is damaged or of another form."""
    footer = index[-_FOOTER_BYTES:]
    if len(index) < _FOOTER_BYTES or footer[-len(_MAGIC) :] != _MAGIC:
        raise ValueError("it is no table of LevelDB")
    # The footer: where the block of meta blocks is, and where the block of blocks is.
    _, after = _handle(footer, 0)
    blocks, _ = _handle(footer, after)
    for _, place in _block(index, *blocks):
        inner, _ = _handle(place, 0)
        for name, value in _block(index, *inner):
            # The entry without a name says how the checkpoint was written.
            if name and (tensor := _tensor(name.decode(), value)) is not None:
                yield tensor


def _tensor(name: str, value: bytes) -> _Numbers | None:
    """Return the tensor of an entry; None where it holds no float32."""
    entry = dict(_fields(value))
    if entry.get(_TYPE) != _FLOAT:
        return None
    if entry.get(_FILE, 0) or _SLICES in entry:
        message = f"{name} lies in several parts"
        raise ValueError(message)
    lengths = [dict(_fields(part)) for kind, part in _fields(entry.get(_SHAPE, b"")) if kind == _DIMENSION]
    shape = tuple(length.get(1, 0) for length in lengths)
    size = entry.get(_SIZE, 0)
    if size != 4 * math.prod(shape):
        message = f"{name} has {size} bytes, which is not {shape} numbers"
        raise ValueError(message)
    return _Numbers(name=name, shape=shape, offset=entry.get(_OFFSET, 0), size=size)


def _block(index: bytes, offset: int, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield the keys and values of a block; a key is given by what differs from the one before."""
    if index[offset + size]:
        raise ValueError("it is compressed")
    content = index[offset : offset + size]
    (restarts,) = struct.unpack_from("<I", content, size - 4)
    at, end, key = 0, size - 4 - 4 * restarts, b""
    while at < end:
        shared, at = _number(content, at)
        own, at = _number(content, at)
        length, at = _number(content, at)
        key = key[:shared] + content[at : at + own]
        at += own
        yield key, content[at : at + length]
        at += length


def _handle(content: bytes, at: int) -> tuple[tuple[int, int], int]:
    """Return offset and size of a block, and where what follows starts."""
    offset, at = _number(content, at)
    size, at = _number(content, at)
    return (offset, size), at


def _fields(message: bytes) -> Iterator[tuple[int, Any]]:
    """Yield number and value of each field of a protocol buffer's message."""
    at = 0
    while at < len(message):
        tag, at = _number(message, at)
        kind = tag & 7
        if kind == 0:
            value, at = _number(message, at)
            yield tag >> 3, value
            continue
        length, at = _number(message, at) if kind == 2 else ({1: 8, 5: 4}.get(kind, 0), at)
        if not length and kind != 2:
            message_ = f"a field has the unknown kind {kind}"
            raise ValueError(message_)
        yield tag >> 3, message[at : at + length]
        at += length


def _number(content: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, seven bits a byte, and where what follows starts."""
    value = shift = 0
    while True:
        byte = content[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            return value, at


def _damaged(path: Path, reason: str) -> InputError:
    return InputError(f"{path.name} is no part of a checkpoint of TensorFlow that can be read: {reason}.")
