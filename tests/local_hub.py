"""A model hub on this machine, as far as its download tool asks: one repository, given to who has a token."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

__all__ = ["LocalHub"]

_LARGE_BYTES = 1 << 20
_COMMIT = "0123456789abcdef0123456789abcdef01234567"


class _Handler(BaseHTTPRequestHandler):
    hub: ClassVar[LocalHub]

    def do_GET(self) -> None:
        if self.hub.page:
            self._send(200, self.hub.page, {"Content-Type": "text/html"})
            return
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def _answer(self, *, with_body: bool) -> None:
        given = self.headers.get("authorization", "")
        self.hub.asked.append((self.path, given))
        if self.hub.token and given != f"Bearer {self.hub.token}":
            said = {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access to model is restricted."}
            self._send(self.hub.refusal, b"{}", said)
            return
        path = self.path.partition("?")[0]
        if path.startswith("/api/models/"):
            names = [{"rfilename": name, **self._details(data)} for name, data in self.hub.files.items()]
            plain = {"id": self.hub.repository, "sha": _COMMIT, "siblings": names}
            self._send(200, json.dumps(plain).encode(), {"Content-Type": "application/json"}, with_body)
            return
        data = self.hub.files.get(path.rpartition("/")[2])
        if data is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"})
            return
        headers = {"X-Repo-Commit": _COMMIT, "Accept-Ranges": "bytes"}
        if len(data) >= _LARGE_BYTES:
            # A large file's hash is its ETag, as the hub's storage for such files gives it.
            headers["ETag"] = f'"{self._sha256(data)}"'
            headers["X-Linked-Size"] = str(len(data))
        else:
            headers["ETag"] = f'"{_oid(data)}"'
        start = int((self.headers.get("range") or "bytes=0-")[len("bytes=") :].partition("-")[0])
        if self.command == "GET":
            self.hub.ranges.append((path.rpartition("/")[2], start))
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        code = 206 if start else 200
        self._send(code if start <= len(data) else 416, data[start:] + self.hub.surplus, headers, with_body)

    def _details(self, data: bytes) -> dict[str, object]:
        if len(data) < _LARGE_BYTES:
            return {"size": len(data), "blobId": _oid(data)}
        large = {"sha256": self._sha256(data), "size": len(data), "pointerSize": 134}
        return {"size": len(data), "blobId": _oid(data), "lfs": large}

    def _sha256(self, data: bytes) -> str:
        return self.hub.promised or hashlib.sha256(data).hexdigest()

    def _send(self, code: int, body: bytes, headers: dict[str, str], with_body: bool = True) -> None:
        self.send_response(code)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if not with_body or self.command == "HEAD":
            return
        left = self.hub.limit_bytes
        if left is not None:
            self.hub.limit_bytes = max(0, left - len(body))
            if len(body) > left:
                # The line breaks off in the middle of the body.
                self.wfile.write(body[:left])
                self.close_connection = True
                return
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def _oid(data: bytes) -> str:
    return hashlib.sha1(data, usedforsecurity=False).hexdigest()


class LocalHub:
    """A context manager; `asked` holds path and authorization of every request."""

    def __init__(self, repository: str, files: dict[str, bytes], token: str = "", refusal: int = 403) -> None:
        self.repository, self.files, self.token, self.refusal = repository, files, token, refusal
        self.asked: list[tuple[str, str]] = []
        self.ranges: list[tuple[str, int]] = []
        """File and first byte of every download."""
        self.limit_bytes: int | None = None
        """After so many bytes, of all bodies together, the line breaks off."""
        self.promised = ""
        """The hash that is given for large files, where it is not their own."""
        self.page = b""
        """What answers every question in the hub's place, such as a page to sign in to a network."""
        self.surplus = b""
        """What is sent after each file, though it does not belong to it."""
        handler = type("Handler", (_Handler,), {"hub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Return what the hub's tool is to take for the hub."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> LocalHub:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)
