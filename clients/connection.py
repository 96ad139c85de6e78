"""A client's connection to the coordinator. The only module here that imports ZeroMQ."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import zmq

from protocol.endpoints import client_endpoint
from protocol.errors import NotRunningError, error_from_info
from protocol.failpoints import reach
from protocol.frames import MAX_MESSAGE_BYTES, Header, decode_message, encode
from protocol.messages import MESSAGES, Refused

__all__ = ["Client"]


class Client:
    """One client's connection to the coordinator; a context manager."""

    def __init__(self, runtime: Path, timeout_ms: int = 3000) -> None:
        self._timeout_ms = timeout_ms
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = self._context.socket(zmq.DEALER)
        self._socket.linger = 0
        self._socket.setsockopt(zmq.MAXMSGSIZE, MAX_MESSAGE_BYTES)
        self._socket.connect(client_endpoint(runtime))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        self._context.destroy(linger=0)

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        """Send a request and return the answer.

        Raises the error that a `Refused` answer carries, and `NotRunningError` if no answer comes in time.
        """
        wait_ms = self._timeout_ms if timeout_ms is None else timeout_ms
        request = uuid.uuid4().hex
        self._socket.send_multipart(encode(type(message).__name__, Header(request=request), message))
        reach("cli.request.sent")
        while self._socket.poll(wait_ms, zmq.POLLIN):
            header, answer = decode_message(self._socket.recv_multipart(), MESSAGES)
            refused = isinstance(answer, Refused)
            # A refusal of a message that could not be read has no request's name.
            if header.request != request and not (refused and not header.request):
                continue  # a late answer to a request that timed out
            if refused:
                raise error_from_info(answer.error)
            return answer
        text = "The coordinator does not answer."
        raise NotRunningError(text, "make up")
