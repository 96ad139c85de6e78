"""What a call is measured against: messages of the same size to another process and back, and nothing else.

A ROUTER here, a DEALER in a process of its own, over ipc, each body packed and unpacked by msgpack.
`python -m tests.bench.peers.bare_messages ENDPOINT` is the other process: it answers each message with the
first that it got.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import msgpack
import zmq

from tests.data import ROOT

__all__ = ["BareMessages"]

_WITHIN_MS = 10_000


class BareMessages:
    """A context manager; `seconds` takes one round trip."""

    def __init__(self, question: Any, answer: Any) -> None:
        self._question = question
        self._folder = tempfile.TemporaryDirectory(prefix="cpw-")
        endpoint = f"ipc://{Path(self._folder.name) / 'bare'}"
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.bind(endpoint)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.peers.bare_messages", endpoint], cwd=ROOT
        )
        assert self._socket.poll(_WITHIN_MS), "the other process has not said a word"
        self._peer, _ = self._socket.recv_multipart()
        self._socket.send_multipart([self._peer, msgpack.packb(answer)])

    def __enter__(self) -> BareMessages:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._context.destroy(linger=0)
        self._folder.cleanup()

    def seconds(self) -> float:
        """Return what a message takes there and back."""
        begun = time.perf_counter()
        self._socket.send_multipart([self._peer, msgpack.packb(self._question)])
        assert self._socket.poll(_WITHIN_MS)
        msgpack.unpackb(self._socket.recv_multipart()[1])
        return time.perf_counter() - begun


def main(endpoint: str) -> None:
    """Answer until somebody ends the process."""
    context: zmq.Context[Any] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.connect(endpoint)
    socket.send(b"here")
    answer = msgpack.unpackb(socket.recv())
    while True:
        msgpack.unpackb(socket.recv())
        socket.send(msgpack.packb(answer))


if __name__ == "__main__":
    main(sys.argv[1])
