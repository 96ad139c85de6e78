"""A worker that sends every message back: `python -m tests.bench.peers.echo_worker ENDPOINT NAME`.

It says hello on every connection, as a worker does, and nothing else.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import zmq
from zmq.utils.monitor import recv_monitor_message

from protocol.frames import Header, encode
from protocol.messages import Hello
from tests.data import ROOT

__all__ = ["EchoWorker"]

_RECONNECT_MS = 50


class EchoWorker:
    """The process; a context manager."""

    def __init__(self, endpoint: str, name: str) -> None:
        self.name = name
        command = [sys.executable, "-m", "tests.bench.peers.echo_worker", endpoint, name]
        self._process = subprocess.Popen(command, cwd=ROOT)

    def __enter__(self) -> EchoWorker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()


def main(endpoint: str, name: str) -> None:
    """Answer until somebody ends the process."""
    context: zmq.Context[Any] = zmq.Context()
    socket = context.socket(zmq.DEALER)
    socket.setsockopt(zmq.ROUTING_ID, name.encode())
    socket.setsockopt(zmq.IMMEDIATE, 1)
    socket.setsockopt(zmq.RECONNECT_IVL, _RECONNECT_MS)
    monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
    socket.connect(endpoint)
    hello = Hello(worker=name, environment="common", pid=os.getpid(), pulse=f"{name}/pulse", state="ready")
    poller = zmq.Poller()
    for found in (socket, monitor):
        poller.register(found, zmq.POLLIN)
    while True:
        ready = dict(poller.poll())
        if monitor in ready:
            recv_monitor_message(monitor)
            socket.send_multipart(encode("Hello", Header(), hello))
        if socket in ready:
            socket.send_multipart(socket.recv_multipart())


if __name__ == "__main__":
    main(*sys.argv[1:])
