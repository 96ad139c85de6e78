"""A whole house with its HTTP server, and a plain client of it."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clients.api.door.keys import Keys, token_file
from protocol.endpoints import http_address_file
from tests.house import House, until

__all__ = ["Answer", "HttpHouse"]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the error in it."""
        return str(self.json["error"]["code"])


class HttpHouse:
    """The server of a house: its address, its token, and requests to it."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.address = until(self._said, what="the server says its address")
        self.keys = Keys(token=token_file(house.home / "state").read_text().strip())

    @classmethod
    @contextlib.contextmanager
    def started(cls, tmp_path: Path, **environment: str) -> Iterator[HttpHouse]:
        """Start a house whose server listens on any free port."""
        with House(tmp_path, **({"CPW_HTTP": "127.0.0.1:0"} | environment)) as house:
            house.start()
            yield cls(house)

    def _said(self) -> str:
        path = http_address_file(self.house.runtime)
        return path.read_text().strip() if path.exists() else ""

    @property
    def netloc(self) -> str:
        """Host and port."""
        return urlsplit(self.address).netloc

    @property
    def bearer(self) -> dict[str, str]:
        """The header that lets a program in."""
        return {"Authorization": f"Bearer {self.keys.token}"}

    def connection(self, timeout_s: float = 30.0) -> http.client.HTTPConnection:
        """Return a new connection to the server as it listens now."""
        return http.client.HTTPConnection(urlsplit(self._said()).netloc, timeout=timeout_s)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | dict[str, Any] | None = None,
        *,
        headers: dict[str, str] | None = None,
        let_in: bool = True,
    ) -> Answer:
        """Send one request; a dict is sent as JSON."""
        sent = (self.bearer if let_in else {}) | (headers or {})
        if isinstance(body, dict):
            sent = {"Content-Type": "application/json"} | sent
            body = json.dumps(body).encode()
        connection = self.connection()
        try:
            connection.request(method, path, body, sent)
            answer = connection.getresponse()
            found = {name.casefold(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()
