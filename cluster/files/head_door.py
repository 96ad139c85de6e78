"""The head's HTTP server as a node uses it: files come and go, with ranges, hashes and patience."""

from __future__ import annotations

import base64
import contextlib
import http.client
import json
import logging
import re
import select
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

from cluster.files.part import Part
from protocol.artefacts import Artefact
from protocol.cluster.messages import Door
from protocol.errors import DiskFullError, InputError, TransientError

__all__ = ["HeadDoor", "StaleError"]

log = logging.getLogger(__name__)

T = TypeVar("T")

_CHUNK_BYTES = 1 << 20
_SILENCE_S = 60.0
_ASKED_S = 5.0
_WAITS_S = (0.2, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Between tries at a head that is away: the supervisor starts its server again within seconds."""
_TRIES = 3
_MOST_ANSWER_BYTES = 16 * 1024 * 1024
_OK, _CREATED, _PART = 200, 201, 206
_NOT_FOUND, _CONFLICT, _OTHER_FILE, _WRONG_BYTES, _AWAY, _FULL = 404, 409, 412, 422, 503, 507
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+)")


class StaleError(Exception):
    """The attempt does not run any more: what it has made is not wanted."""


class _Broken(Exception):  # noqa: N818 (it is tried again)
    """The line broke, or the head is away for a moment."""


class _OtherBytes(Exception):  # noqa: N818 (it is tried again)
    """What came, or was to come, is not the file that is meant."""


class HeadDoor:
    """Blocking requests to the head; every thread may use it."""

    def __init__(
        self, door: Door, node: str, ended: threading.Event, waits_s: tuple[float, ...] = _WAITS_S
    ) -> None:
        self._url = urlsplit(door.url)
        self._shown = door.url
        self._key = door.key
        self._node = node
        self._ended = ended
        self._waits_s = waits_s

    def ask(self, address: str) -> Any:
        """Return the JSON document at an address; `InputError` where there is none."""
        return self._patiently(lambda: self._ask(address))

    def bring(self, address: str, file: Artefact, part: Part) -> None:
        """Bring a file into `part`, going on from what is there; whole, synced and checked afterwards.

        Raises `InputError` where the head has no such file, `TransientError` where other bytes came three
        times or the head stays away, `DiskFullError` where this node's disk is full.
        """
        for _ in range(_TRIES):
            try:
                self._receive_whole(address, file, part)
            except _OtherBytes:
                pass
            else:
                if (part.size, part.sha256) == (file.size, file.sha256):
                    part.sync()
                    return
            log.warning("%s came with other bytes than were made: it is fetched again", file.path)
            part.empty()
        message = f"The file {file.path} came to the node {self._node} with wrong bytes, three times."
        raise TransientError(message, "Look at the network between the two, and at the head's disk.")

    def send(self, address: str, file: Artefact, path: Path) -> None:
        """Send the file at `path`; the head has checked and synced it when this returns.

        Raises `StaleError` where it is not wanted any more, `DiskFullError` where the head's disk is full,
        `TransientError` otherwise.
        """
        for _ in range(_TRIES):
            with contextlib.suppress(_OtherBytes):
                self._patiently(lambda: self._send(address, file, path))
                return
            log.warning("%s reached the head with other bytes than were made: it is sent again", file.path)
        message = f"The file {file.path} of the node {self._node} reached the head spoilt, three times."
        raise TransientError(message, "Look at the network between the two, and at the node's disk.")

    def say(self, address: str, data: bytes) -> None:
        """Send a small text; `StaleError` and `TransientError` as in `send`."""
        self._patiently(lambda: self._say(address, data))

    def _patiently(self, act: Callable[[], T]) -> T:
        for wait_s in (*self._waits_s, None):
            try:
                return act()
            except _Broken as error:
                self._pause(error, wait_s)
        raise AssertionError  # the last turn of the loop returns or raises

    def _receive_whole(self, address: str, file: Artefact, part: Part) -> None:
        waits = iter(self._waits_s)
        is_whole = part.size >= file.size > 0
        while not is_whole:
            before = part.size
            try:
                self._receive(address, file, part)
                is_whole = True
            except _Broken as error:
                if part.size > before:
                    waits = iter(self._waits_s)
                self._pause(error, next(waits, None))

    def _pause(self, error: _Broken, wait_s: float | None) -> None:
        if wait_s is None:
            message = f"The node {self._node} cannot reach the head at {self._shown}: {error}."
            raise TransientError(message, "Look whether the head runs, and at the network.") from error
        log.info("the head at %s: %s; again in %s s", self._shown, error, wait_s)
        if self._ended.wait(wait_s):
            message = f"The node {self._node} ends."
            raise TransientError(message) from error

    def _receive(self, address: str, file: Artefact, part: Part) -> None:
        headers = {"If-Match": f'"{file.sha256}"'}
        if part.size:
            headers["Range"] = f"bytes={part.size}-"
        with self._line() as connection:
            connection.request("GET", quote(address), headers=headers | self._let_in())
            answer = connection.getresponse()
            if answer.status == _OTHER_FILE:
                raise _OtherBytes
            if answer.status not in (_OK, _PART):
                raise self._refused(answer, file.path)
            if _begin(answer, part.size) != (part.size, file.size):
                raise _OtherBytes
            self._take(answer, file, part)

    def _take(self, answer: http.client.HTTPResponse, file: Artefact, part: Part) -> None:
        room = memoryview(bytearray(_CHUNK_BYTES))
        while part.size < file.size:
            if self._ended.is_set():
                message = f"The node {self._node} ends."
                raise TransientError(message)
            count = answer.readinto(room)
            if not count:
                text = f"{file.path} broke off after {part.size} of {file.size} bytes"
                raise _Broken(text)
            part.add(room[: min(count, file.size - part.size)])

    def _ask(self, address: str) -> Any:
        with self._line() as connection:
            connection.request("GET", quote(address), headers=self._let_in())
            answer = connection.getresponse()
            if answer.status != _OK:
                raise self._refused(answer, address)
            try:
                return json.loads(answer.read(_MOST_ANSWER_BYTES))
            except ValueError as error:
                text = "its answer is no JSON"
                raise _Broken(text) from error

    def _send(self, address: str, file: Artefact, path: Path) -> None:
        digest = base64.b64encode(bytes.fromhex(file.sha256)).decode()
        headers = {"Content-Length": str(file.size), "Content-Digest": f"sha-256=:{digest}:"}
        # Without TLS the head is asked first whether it wants the file; under TLS one cannot look ahead.
        asks = self._url.scheme == "http"
        headers |= {"Expect": "100-continue"} if asks else {}
        with _readable(path, file) as body, self._line() as connection:
            self._begin_put(connection, address, headers)
            if not asks or _may_go_on(connection.sock):
                while chunk := body.read(_CHUNK_BYTES):
                    connection.send(chunk)
            answer = connection.getresponse()
            if answer.status == _WRONG_BYTES:
                raise _OtherBytes
            if answer.status != _CREATED:
                raise self._refused(answer, file.path)
            answer.read()

    def _say(self, address: str, data: bytes) -> None:
        with self._line() as connection:
            self._begin_put(connection, address, {"Content-Length": str(len(data))})
            connection.send(data)
            answer = connection.getresponse()
            if answer.status != _CREATED:
                raise self._refused(answer, address)
            answer.read()

    def _begin_put(
        self, connection: http.client.HTTPConnection, address: str, headers: dict[str, str]
    ) -> None:
        connection.putrequest("PUT", quote(address))
        for name, value in (headers | self._let_in()).items():
            connection.putheader(name, value)
        connection.endheaders()

    def _let_in(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._key}"}

    @contextlib.contextmanager
    def _line(self) -> Iterator[http.client.HTTPConnection]:
        """A connection of its own; what breaks it is `_Broken`."""
        host, port = self._url.hostname, self._url.port
        if not host:
            message = f"The node {self._node} is not told how to reach the head's HTTP server."
            raise TransientError(message, "On the head, let it listen to other machines with CPW_HTTP.")
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(host, port, timeout=_SILENCE_S)
        try:
            yield connection
        except (OSError, http.client.HTTPException) as error:
            text = str(error) or type(error).__name__
            raise _Broken(text) from error
        finally:
            connection.close()

    def _refused(self, answer: http.client.HTTPResponse, what: str) -> Exception:
        """Return what the head's refusal leads to."""
        said = _said(answer)
        if answer.status == _AWAY:
            return _Broken(said)
        if answer.status == _CONFLICT:
            return StaleError(said)
        if answer.status == _FULL:
            return DiskFullError(said, "Make room on the head, then: cpw resume")
        if answer.status == _NOT_FOUND:
            return InputError(f"The head has no {what} for the node {self._node}: {said}")
        message = f"The head refused {what} to the node {self._node} ({answer.status}): {said}"
        return TransientError(message, "Look whether the node still belongs to that head.")


def _said(answer: http.client.HTTPResponse) -> str:
    try:
        found = json.loads(answer.read(_MOST_ANSWER_BYTES))
        return str(found["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return answer.reason or "it does not say why"


def _begin(answer: http.client.HTTPResponse, wanted: int) -> tuple[int, int]:
    """Return at which byte the answer begins, and the size of the whole file."""
    if answer.status == _PART:
        found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        return (int(found[1]), int(found[2])) if found else (-1, -1)
    # Where a range was asked for, all of the file is no answer.
    return (0, answer.length if answer.length is not None else -1) if not wanted else (-1, -1)


@contextlib.contextmanager
def _readable(path: Path, file: Artefact) -> Iterator[Any]:
    try:
        body = path.open("rb")
    except OSError as error:
        message = f"The file {file.path}, which a call has made, is gone: {error.strerror}."
        raise TransientError(message) from error
    with body:
        yield body


def _may_go_on(line: socket.socket) -> bool:
    """Wait for `100 Continue`, and take it off the line; False: another answer has come in its place.

    Where nothing comes the file is sent all the same: there are proxies that do not know the question.
    """
    if not select.select([line], [], [], _ASKED_S)[0]:
        return True
    sign = b"HTTP/1.1 100"
    # Only looked at: the bytes of another answer are left to http.client.
    if line.recv(len(sign), socket.MSG_PEEK) != sign:
        return False
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = line.recv(1)
        if not byte:
            return False
        head += byte
    return True
