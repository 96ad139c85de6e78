"""Forms as programs send them: fields in memory, within bounds, and the one file straight to its place.

starlette's own reading of forms puts the file into the temporary folder, which may be memory, and copies it.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qsl, unquote

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import Request

from clients.api.answers import HttpProblem
from clients.api.bodies import chunks, read_whole
from protocol.errors import CpwError

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

__all__ = ["Form", "Sink", "read_form", "said_after_the_body"]

_MOST_FIELDS = 1_000
_MOST_FIELD_BYTES = 1_000_000
"""All fields together."""
_DRAIN_S = 60.0
_EXTENDED = re.compile(rb";\s*filename\*=utf-8'[^']*'([^;\s]+)", re.IGNORECASE)


class Sink(Protocol):
    """Where the bytes of a file go."""

    async def add(self, part: bytes) -> None:
        """Take the next bytes."""
        ...


@dataclass(kw_only=True)
class Form:
    """What a form says."""

    fields: dict[str, list[str]] = field(default_factory=dict)
    file_name: str | None = None
    """As the sender calls it; None: no file came."""

    def one(self, name: str, default: str = "") -> str:
        """Return the first value of a field."""
        found = self.fields.get(name)
        return found[0].strip() if found else default

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field that may come several times: `name` or `name[]`."""
        found = (*self.fields.get(name, ()), *self.fields.get(f"{name}[]", ()))
        return tuple(value.strip() for value in found if value.strip())

    def is_set(self, name: str) -> bool:
        """Return whether a field says yes; a 400 where it says neither yes nor no."""
        word = self.one(name).casefold()
        if word not in ("", "true", "1", "yes", "on", "false", "0", "no", "off"):
            raise HttpProblem(400, f"{name}={word!r} is neither true nor false.", param=name)
        return word in ("true", "1", "yes", "on")


async def read_form(request: Request, file_field: str = "", sink: Sink | None = None) -> Form:
    """Return the fields of a form, in whatever order they come; the part `file_field` goes into `sink`.

    Other files that come with it, as a media server's picture, are let go. A 400 or 413 where it is no form,
    or its fields are too large.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"application/x-www-form-urlencoded":
        body = await read_whole(request, _MOST_FIELD_BYTES)
        form = Form()
        for name, value in parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)[:_MOST_FIELDS]:
            form.fields.setdefault(name, []).append(value)
        return form
    boundary = options.get(b"boundary")
    if kind != b"multipart/form-data" or not boundary:
        raise HttpProblem(415, "The body must be multipart/form-data.")
    return await _read_parts(request, boundary, _Parts(file_field if sink else ""), sink)


async def _read_parts(request: Request, boundary: bytes, parts: _Parts, sink: Sink | None) -> Form:
    with _read_by_the_rules():
        parser = MultipartParser(boundary, parts.callbacks())
    async for chunk in chunks(request):
        with _read_by_the_rules():
            parser.write(chunk)
        for bytes_of_file in parts.take():
            if sink is not None:
                await sink.add(bytes_of_file)
    if not parts.has_ended:
        raise HttpProblem(400, "The form ends before its last part does.")
    return parts.form


@contextlib.contextmanager
def _read_by_the_rules() -> Iterator[None]:
    try:
        yield
    except FormParserError as error:
        raise HttpProblem(400, f"The form cannot be read: {error}.") from error


class _Parts:
    """What the parser finds. Bytes of the file wait until they are taken, after each write."""

    def __init__(self, file_field: str) -> None:
        self.form = Form()
        self.has_ended = False
        self._file_field = file_field
        self._waiting: list[bytes] = []
        self._header = bytearray()
        self._header_value = bytearray()
        self._disposition = b""
        self._name = ""
        self._value: bytearray | None = None
        self._is_file = False
        self._size = 0

    def callbacks(self) -> MultipartCallbacks:
        """Return what the parser calls."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header_value.extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._end_headers,
            "on_part_data": self._add,
            "on_part_end": self._end,
            "on_end": self._end_all,
        }

    def take(self) -> list[bytes]:
        """Return the bytes of the file that came."""
        found, self._waiting = self._waiting, []
        return found

    def _begin(self) -> None:
        self._disposition, self._value, self._is_file = b"", None, False

    def _end_header(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = bytes(self._header_value)
        self._header.clear()
        self._header_value.clear()

    def _end_headers(self) -> None:
        _, options = parse_options_header(self._disposition)
        if b"name" not in options:
            raise HttpProblem(400, "A part of the form has no name.")
        self._name = options[b"name"].decode("utf-8", "replace")
        self._is_file = bool(self._file_field) and self._name == self._file_field
        if self._is_file:
            if self.form.file_name is not None:
                raise HttpProblem(400, "Two files came; send one.", param=self._name)
            self.form.file_name = _file_name(self._disposition, options)
        elif b"filename" not in options:
            self._value = bytearray()

    def _add(self, data: bytes, start: int, end: int) -> None:
        if self._is_file:
            self._waiting.append(data[start:end])
        elif self._value is not None:
            self._size += end - start
            if self._size > _MOST_FIELD_BYTES:
                text = f"The fields of the form are larger than {_MOST_FIELD_BYTES} bytes."
                raise HttpProblem(413, text, param=self._name)
            self._value.extend(data[start:end])

    def _end(self) -> None:
        if self._value is None:
            return
        values = self.form.fields.setdefault(self._name, [])
        values.append(self._value.decode("utf-8", "replace"))
        if sum(map(len, self.form.fields.values())) > _MOST_FIELDS:
            raise HttpProblem(413, f"The form has more than {_MOST_FIELDS} fields.")

    def _end_all(self) -> None:
        self.has_ended = True


def _file_name(disposition: bytes, options: dict[bytes, bytes]) -> str:
    """Return the file's name. Older clients write one that is not ASCII in the form that RFC 7578 forbids."""
    if b"filename" not in options and (extended := _EXTENDED.search(disposition)) is not None:
        return unquote(extended[1].decode("latin-1"))
    return options.get(b"filename", b"").decode("utf-8", "replace")


@contextlib.asynccontextmanager
async def said_after_the_body(request: Request) -> AsyncIterator[None]:
    """Let a sender finish before it is told what is wrong: who still sends hears a reset, and no sentence."""
    try:
        yield
    except (HttpProblem, CpwError, OSError):
        with contextlib.suppress(TimeoutError, HttpProblem, RuntimeError):
            async with asyncio.timeout(_DRAIN_S):
                async for _ in chunks(request):
                    pass
        raise
