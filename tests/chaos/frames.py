"""Frames that are nearly messages: valid ones of every type, then one thing wrong. All from one seed."""

from __future__ import annotations

import dataclasses
import enum
import random
import types
import typing
from typing import Any, Literal, Union, get_args, get_origin

import msgpack

from protocol.messages import MESSAGES
from protocol.schema import to_plain

__all__ = ["Mutator"]

_WORDS = (
    "",
    "x",
    "common",
    "asr",
    "demux",
    "en",
    "ready",
    "/film.mkv",
    "..",
    "a/../b",
    "\0",
    "job-1",
    "ü\u2028" * 9,
)
_ODD = (
    *(None, True, -1, 0, 2**31, 2**63 - 1, 2**64 - 1, -(2**63), 0.5, float("nan"), float("inf")),
    *("", "\0", "\u0661", "x" * 20_000, "../../etc", b"\xff\x00", b""),
    *([], {}, [[]], {"": None}, {"a": {"b": [1]}}, [None] * 500),
)
_MAGIC, _OURS = b"CPW", b"1"
_VERSIONS = (b"0", b"2", b"", b"-1", b"\xff", b"99999", b"9" * 500, b" 1", "٣".encode())
_TYPES = (b"", b"hello", b"Nothing", b"\xff\xfe", b"A" * 5_000, b"Header", b"__class__", b"NoneType")
_OFTEN = ("Failure", "Hello", "Result")
_OVERSIZED = 17 * 1024 * 1024


class Mutator:
    """Makes frames; what it makes depends on its seed and on what it is told that calls are running."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.calls: list[dict[str, Any]] = []
        """Headers of calls that were heard of: outcomes of these are looked at closely."""
        self._before: list[list[bytes]] = []

    def frames(self, name: str) -> list[bytes]:
        """Return the frames of one attempt to speak, as the peer `name` ("" for a client)."""
        made = self._make(name)
        if self.random.random() < 0.05:
            self._before = [*self._before[-200:], made]
        return made

    def _make(self, name: str) -> list[bytes]:
        chance = self.random.random()
        if chance < 0.05 and self._before:
            return self.random.choice(self._before)
        if chance < 0.15:
            return [
                self.random.randbytes(self.random.randint(0, 40)) for _ in range(self.random.randint(1, 8))
            ]
        if chance < 0.15005:
            return [*self._valid(name)[:4], b"\xc6" + bytes(_OVERSIZED)]
        made = self._valid(name)
        return self._break_frames(made) if chance < 0.45 else made

    def _valid(self, name: str) -> list[bytes]:
        """Return a well-formed message; its values may be odd."""
        kind = self.random.choice(
            [*MESSAGES.values(), MESSAGES["Result"], MESSAGES["Failure"], MESSAGES["Hello"]]
        )
        body = to_plain(self._example(kind))
        if kind is MESSAGES["Hello"] and self.random.random() < 0.7:
            body |= {"worker": name, "environment": "common", "oldest_protocol": 1, "newest_protocol": 1}
        header = {"run": str(self.random.randint(0, 3)), "request": "r", "job": "job-1", "step": "demux"}
        header["attempt"] = self.random.randint(0, 3)
        if self.calls and self.random.random() < 0.5:
            header = dict(self.random.choice(self.calls))
        for part in (body, header):
            if self.random.random() < 0.35:
                self._make_odd(part)
        return [_MAGIC, _OURS, kind.__name__.encode(), msgpack.packb(header), msgpack.packb(body)]

    def _make_odd(self, value: Any) -> None:
        """Change, drop or add one thing somewhere inside."""
        while isinstance(value, (dict, list)) and value:
            key = self.random.choice(list(value) if isinstance(value, dict) else range(len(value)))
            if isinstance(value[key], (dict, list)) and value[key] and self.random.random() < 0.6:
                value = value[key]
                continue
            chance = self.random.random()
            if chance < 0.2:
                del value[key]
            elif chance < 0.3 and isinstance(value, dict):
                value[self.random.choice(["unknown", "", 7, b"x"])] = self._odd()
            else:
                value[key] = self._odd()
            return

    def _odd(self) -> Any:
        if self.random.random() < 0.03:
            deep: Any = []
            for _ in range(self.random.choice((50, 400))):
                deep = [deep]
            return deep
        return self.random.choice(_ODD)

    def _break_frames(self, made: list[bytes]) -> list[bytes]:
        place = self.random.randrange(5)
        match self.random.randrange(7):
            case 0:
                del made[place]
            case 1:
                made.insert(place, self.random.randbytes(5))
            case 2:
                made[1] = self.random.choice(_VERSIONS)
            case 3:
                made[2] = self.random.choice(_TYPES)
            case 4:
                made[place] = made[place][: self.random.randint(0, len(made[place]))]
            case 5:
                broken = bytearray(made[place] or b"\0")
                broken[self.random.randrange(len(broken))] ^= 1 << self.random.randrange(8)
                made[place] = bytes(broken)
            case 6:
                made[place] = self.random.randbytes(self.random.randint(0, 300))
        return made

    def _example(self, kind: Any) -> Any:
        """Return a value of the type `kind`, with everything in it chosen at random."""
        origin, arguments = get_origin(kind), get_args(kind)
        if origin is Literal:
            return self.random.choice(arguments)
        if origin in (Union, types.UnionType):
            return (
                None
                if type(None) in arguments and self.random.random() < 0.5
                else self._example(arguments[0])
            )
        if origin in (tuple, list):
            return tuple(self._example(arguments[0]) for _ in range(self.random.randint(0, 2)))
        if origin is dict:
            return {
                self.random.choice(_WORDS): self._example(arguments[1])
                for _ in range(self.random.randint(0, 2))
            }
        if dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            return {field.name: self._example(hints[field.name]) for field in dataclasses.fields(kind)}
        if isinstance(kind, type) and issubclass(kind, enum.Enum):
            return self.random.choice(list(kind)).value
        simple = {str: _WORDS, int: (0, 1, 2, 7, 10**6), float: (0.0, 0.5, 1.0), bool: (True, False)}
        return self.random.choice(simple.get(kind, _ODD))
