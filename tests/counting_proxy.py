"""A proxy between nodes and the head's HTTP server: it counts what goes through, and may change a byte."""

from __future__ import annotations

import contextlib
import http.client
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

__all__ = ["CountingProxy", "Passed"]

_HOP = ("connection", "transfer-encoding", "keep-alive", "expect", "host")
"""Headers that are of one line alone."""


@dataclass(frozen=True)
class Passed:
    """One request, and how many bytes its answer's body had."""

    method: str
    path: str
    status: int
    sent_bytes: int


class CountingProxy:
    """A context manager; `url` is where it listens."""

    def __init__(self, server: str) -> None:
        self._server = urlsplit(server).netloc
        self.passed: list[Passed] = []
        self.spoils = ""
        """Of the next answer with a file whose path ends so, one byte is changed."""
        self._lock = threading.Lock()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                proxy.pass_on(self, b"")

            def do_PUT(self) -> None:
                proxy.pass_on(self, self.rfile.read(int(self.headers["Content-Length"])))

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self._listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._listener.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._listener.server_port}"

    def __enter__(self) -> CountingProxy:
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown()
        self._listener.server_close()

    def pass_on(self, asked: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answer as the server does."""
        headers = {name: value for name, value in asked.headers.items() if name.lower() not in _HOP}
        with self._line() as line:
            line.request(asked.command, asked.path, body or None, headers)
            answer = line.getresponse()
            data = answer.read()
        data = self._spoilt(asked, data)
        with self._lock:
            self.passed.append(Passed(asked.command, asked.path, answer.status, len(data)))
        asked.send_response(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in (*_HOP, "content-length"):
                asked.send_header(name, value)
        asked.send_header("Content-Length", str(len(data)))
        asked.end_headers()
        asked.wfile.write(data)

    @contextlib.contextmanager
    def _line(self) -> Iterator[http.client.HTTPConnection]:
        line = http.client.HTTPConnection(self._server, timeout=60)
        try:
            yield line
        finally:
            line.close()

    def _spoilt(self, asked: BaseHTTPRequestHandler, data: bytes) -> bytes:
        with self._lock:
            if not self.spoils or asked.command != "GET" or not asked.path.endswith(self.spoils):
                return data
            self.spoils = ""
        middle = len(data) // 2
        return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]

    def fetched(self, ending: str) -> list[Passed]:
        """Return the requests for files whose path ends so, as far as they were answered with bytes."""
        with self._lock:
            asked = [one for one in self.passed if one.method == "GET" and one.path.endswith(ending)]
        return [one for one in asked if one.status in (http.HTTPStatus.OK, http.HTTPStatus.PARTIAL_CONTENT)]
