"""The peer of a coordinator with many nodes: a bare ROUTER that hands out tasks, one SQLite commit a turn.

`python -m tests.bench.peers.bare_router ENDPOINT STORE TASKS`. It speaks as much of the wire as the played
nodes need, to the same nodes. Each task is a row: a task that is begun and one that is done are written into
it, and are committed before anything is sent. What it leaves out: jobs, plans and priorities, the fence, keys
of steps, results that are checked, rates, manifests, pings, and whoever asks how far it is.
"""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zmq

from protocol.frames import Header, decode, encode
from protocol.messages import Ack, Call, Welcome
from tests.bench.peers.bare_store import PRAGMAS

__all__ = ["make_store"]

_AHEAD = 2
"""So many tasks a node has at a time, as a worker with short calls: it never waits for the next one."""
_MOST = 500
_Sending = tuple[bytes, str, Header, Any]


def make_store(path: Path, tasks: int) -> None:
    """Write a store of tasks that wait."""
    db = _open(path)
    db.execute("BEGIN")
    db.execute("CREATE TABLE tasks (number INTEGER PRIMARY KEY, state TEXT, worker TEXT, result TEXT)")
    db.executemany("INSERT INTO tasks VALUES (?, 'ready', '', '')", [(number,) for number in range(tasks)])
    db.execute("COMMIT")
    db.close()


def _open(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in PRAGMAS:
        db.execute(pragma)
    return db


class _Router:
    def __init__(self, endpoint: str, db: sqlite3.Connection, tasks: int) -> None:
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.bind(endpoint)
        self._db = db
        self._left = iter(range(tasks))

    def serve(self) -> None:
        """Hand out tasks until somebody ends the process."""
        while True:
            self._socket.poll()
            heard = list(self._receive())
            self._db.execute("BEGIN IMMEDIATE")
            answers = [answer for peer, frames in heard for answer in self._answers(peer, frames)]
            self._db.execute("COMMIT")
            for peer, kind, header, message in answers:
                self._socket.send_multipart([peer, *encode(kind, header, message)])

    def _receive(self) -> Iterator[tuple[bytes, list[bytes]]]:
        for _ in range(_MOST):
            if not self._socket.poll(0):
                return
            peer, *frames = self._socket.recv_multipart()
            yield peer, frames

    def _answers(self, peer: bytes, frames: list[bytes]) -> Iterator[_Sending]:
        said = decode(frames)
        if said.type == "Hello":
            yield peer, "Welcome", Header(run="1"), Welcome()
            for _ in range(_AHEAD):
                yield from self._next(peer)
        elif said.type == "Result":
            result = json.dumps(said.body["result"])
            number = int(said.header.job)
            self._db.execute("UPDATE tasks SET state = 'done', result = ? WHERE number = ?", (result, number))
            yield peer, "Ack", said.header, Ack()
            yield from self._next(peer)

    def _next(self, peer: bytes) -> Iterator[_Sending]:
        number = next(self._left, None)
        if number is None:
            return
        self._db.execute(
            "UPDATE tasks SET state = 'running', worker = ? WHERE number = ?", (peer.decode(), number)
        )
        call = Call(
            stage="demux",
            schema_version=1,
            job_directory="/",
            scratch="",
            folder="",
            budget_ms=1_000,
            request={"media": f"/film {number}.mkv"},
        )
        yield peer, "Call", Header(run="1", job=str(number), step="demux", attempt=1), call


def main(endpoint: str, store: Path, tasks: int) -> None:
    """Serve; print a line when nodes can come."""
    router = _Router(endpoint, _open(store), tasks)
    sys.stdout.write("bound\n")
    sys.stdout.flush()
    router.serve()


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
