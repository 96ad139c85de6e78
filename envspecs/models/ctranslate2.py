"""Reads a `model.bin` of CTranslate2: its variables by name, as views of the file. Standard library only.

Layout (CTranslate2's `specs/model_spec.py`, `ModelSpec._serialize`), little-endian:
u32 version, string specification, u32 revision, u32 count, then for each variable: string name, u8 rank,
rank x u32 shape, u8 type, u32 bytes, the data; then u32 count of aliases, each: string alias, string name.
A string is its u16 length, NUL counted, and its bytes with the NUL.
"""

from __future__ import annotations

import math
import mmap
import re
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from protocol.errors import InputError

__all__ = ["Variable", "Weights"]

_VERSION = 6
_SPECIFICATION = "WhisperSpec"
_TYPES = ("float32", "int8", "int16", "int32", "float16", "bfloat16")
"""By number (CTranslate2's `include/ctranslate2/types.h`)."""
_ITEM_BYTES = {"float32": 4, "int8": 1, "int16": 2, "int32": 4, "float16": 2, "bfloat16": 2}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """One variable; `data` views the file."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    data: memoryview
    scales: memoryview | None = None
    """float32: what integers were multiplied by, one a row or one for all."""

    def rows(self, first: int, count: int) -> memoryview:
        """Return the bytes of some rows (the first dimension)."""
        row = len(self.data) // self.shape[0]
        return self.data[first * row : (first + count) * row]

    def scale(self, row: int) -> float:
        """Return what the numbers of the row were multiplied by."""
        if self.scales is None:
            return 1.0
        found: float = struct.unpack_from("<f", self.scales, 4 * row if len(self.scales) > 4 else 0)[0]
        return found


class Weights:
    """The variables of a Whisper model by name, aliases followed; remembers which were asked for."""

    def __init__(self, path: Path) -> None:
        """Read the table of the file; `InputError` if it is not a Whisper model of this version."""
        self._path = path
        self._aliases: dict[str, str] = {}
        self._used: set[str] = set()
        try:
            with path.open("rb") as file:
                # Not closed here: it is closed when the last view of it is gone.
                data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
            self._variables = self._read(_Reader(data))
        except (OSError, ValueError, IndexError, struct.error) as error:
            self.refuse(f"it cannot be read to its end ({error})", error)

    def refuse(self, reason: str, cause: Exception | None = None) -> NoReturn:
        """Raise `InputError`: this file cannot be converted."""
        message = f"{self._path} is not a Whisper model that can be converted: {reason}."
        raise InputError(message, "Convert another copy of it, or fetch the model ready-made.") from cause

    def __getitem__(self, name: str) -> Variable:
        """Return a variable by its own name or an alias; `InputError` where there is none."""
        name = self._aliases.get(name, name)
        if name not in self._variables:
            self.refuse(f"it has no {name}")
        self._used |= {name, f"{name}_scale"}
        return self._variables[name]

    def number(self, name: str) -> int:
        """Return an integer setting."""
        return int.from_bytes(self[name].data, "little", signed=True)

    def layers(self, side: str) -> int:
        """Return how many layers the encoder or decoder has."""
        numbers = (re.match(rf"{side}/layer_(\d+)/", name) for name in self._variables)
        return len({found[1] for found in numbers if found})

    def check_all_used(self) -> None:
        """Refuse a file with weights that were not read: it holds more than a Whisper model."""
        for name, variable in self._variables.items():
            # What has no shape is a setting.
            if variable.shape and name not in self._used:
                self.refuse(f"it has {name}, which Whisper has not")

    def _read(self, reader: _Reader) -> dict[str, Variable]:
        (version,) = reader.unpack("I")
        if version != _VERSION:
            self.refuse(f"it is of version {version}, and only version {_VERSION} is known")
        specification = reader.string()
        if specification != _SPECIFICATION:
            self.refuse(f"it is a {specification}")
        _, count = reader.unpack("II")
        found = {variable.name: variable for variable in (reader.variable() for _ in range(count))}
        (count,) = reader.unpack("I")
        self._aliases = {reader.string(): reader.string() for _ in range(count)}
        return {name: self._scaled(variable, found) for name, variable in found.items()}

    def _scaled(self, variable: Variable, found: dict[str, Variable]) -> Variable:
        if variable.dtype not in {"int8", "int16"} or not variable.shape:
            return variable
        scale = found.get(f"{variable.name}_scale")
        if scale is None or scale.dtype != "float32" or scale.data.nbytes not in (4, 4 * variable.shape[0]):
            self.refuse(f"{variable.name} is of integers without a scale for each row")
        return Variable(**{**vars(variable), "scales": scale.data})


@dataclass
class _Reader:
    data: memoryview
    at: int = 0

    def unpack(self, form: str) -> tuple[int, ...]:
        values = struct.unpack_from(f"<{form}", self.data, self.at)
        self.at += struct.calcsize(f"<{form}")
        return values

    def string(self) -> str:
        (length,) = self.unpack("H")
        return bytes(self._take(length)).rstrip(b"\0").decode()

    def variable(self) -> Variable:
        name = self.string()
        (rank,) = self.unpack("B")
        shape = self.unpack(f"{rank}I")
        kind, size = self.unpack("BI")
        dtype = _TYPES[kind]
        if size != math.prod(shape) * _ITEM_BYTES[dtype]:
            message = f"{name} has {size} bytes, which its shape {shape} does not fill"
            raise ValueError(message)
        return Variable(name=name, shape=shape, dtype=dtype, data=self._take(size))

    def _take(self, size: int) -> memoryview:
        if self.at + size > len(self.data):
            message = f"{len(self.data)} bytes are not all"
            raise ValueError(message)
        self.at += size
        return self.data[self.at - size : self.at]
