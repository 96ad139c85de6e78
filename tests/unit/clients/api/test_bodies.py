"""Bodies of requests: patience with them has an end, and names are safe."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from clients.api.answers import HttpProblem
from clients.api.bodies import chunks, read_whole, safe_name


def request(*parts: bytes, ends: bool = True, length: int | None = None) -> Request:
    waiting = list(parts)

    async def receive() -> dict[str, Any]:
        if not waiting and not ends:
            await asyncio.Event().wait()
        part = waiting.pop(0) if waiting else b""
        return {"type": "http.request", "body": part, "more_body": bool(waiting) or not ends}

    headers = [] if length is None else [(b"content-length", str(length).encode())]
    return Request({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, receive)


def read(asked: Request, patience_s: float = 5.0) -> list[bytes]:
    async def all_of_it() -> list[bytes]:
        return [part async for part in chunks(asked, patience_s)]

    return asyncio.run(all_of_it())


def test_a_body_comes_as_it_is_sent() -> None:
    assert read(request(b"a", b"", b"b")) == [b"a", b"b"]


def test_a_body_that_stops_coming_is_given_up() -> None:
    with pytest.raises(HttpProblem, match="Nothing of the body came") as found:
        read(request(b"a", ends=False), patience_s=0.02)
    assert found.value.status == 408


def test_a_small_body_that_is_not_small_is_refused_before_and_while_it_is_read() -> None:
    for asked in (request(b"x" * 11), request(b"x", length=10**10)):
        with pytest.raises(HttpProblem, match="larger than 10 bytes") as found:
            asyncio.run(read_whole(asked, 10))
        assert found.value.status == 413
    assert asyncio.run(read_whole(request(b"x" * 10), 10)) == b"x" * 10


@pytest.mark.parametrize(
    ("written", "safe"),
    [
        ("Film.mkv", "Film.mkv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\films\\Ein Film.mkv", "Ein Film.mkv"),
        ("..", "film"),
        (".hidden", "hidden"),
        ("-rf.mkv", "rf.mkv"),
        ("a\0b\nc.mkv", "abc.mkv"),
        ("चलचित्र #1.mkv", "चलचित्र #1.mkv"),
        ("", "film"),
    ],
)
def test_a_name_is_a_files_own_name_and_nothing_else(written: str, safe: str) -> None:
    assert safe_name(written) == safe


def test_a_long_name_keeps_its_ending() -> None:
    name = safe_name("च" * 300 + ".mkv")
    assert name.endswith(".mkv")
    assert len(name.encode()) <= 200
