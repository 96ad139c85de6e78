"""Forms come in whatever order and pieces, and raw sound gets its head."""

from __future__ import annotations

import asyncio
import io
import wave
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from clients.api.answers import HttpProblem
from clients.api.bazarr.language import stretches
from clients.api.bazarr.raw_sound import RawSound, wave_head
from clients.api.bodies import Arriving
from clients.api.speech.forms import Form, read_form

FILE = bytes(range(256)) * 3 + b"\r\n--not the border\r\n--"


class Kept:
    """Keeps what comes."""

    def __init__(self) -> None:
        self.data = b""

    async def add(self, part: bytes) -> None:
        """Take the next bytes."""
        self.data += part


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--b0\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def request(pieces: list[bytes], kind: str = "multipart/form-data; boundary=b0") -> Request:
    waiting = list(pieces)

    async def receive() -> dict[str, Any]:
        body = waiting.pop(0)
        return {"type": "http.request", "body": body, "more_body": bool(waiting)}

    headers = [(b"content-type", kind.encode())]
    return Request({"type": "http", "method": "POST", "headers": headers, "query_string": b""}, receive)


def read(body: bytes, size: int, field: str = "file") -> tuple[Form, bytes]:
    kept = Kept()
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return asyncio.run(read_form(request(pieces), field, kept)), kept.data


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
@pytest.mark.parametrize("first", [True, False])
def test_a_form_is_the_same_in_every_piece_and_order(size: int, first: bool) -> None:
    file = part("file", FILE, '; filename="a.mkv"')
    fields = part("model", b"whisper-1") + part("include[]", b"x") + part("include[]", b"y")
    form, data = read((file + fields if first else fields + file) + b"--b0--\r\n", size)
    assert data == FILE
    assert (form.file_name, form.one("model"), form.all("include")) == ("a.mkv", "whisper-1", ("x", "y"))


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ('; filename="Gespräch.mp3"', "Gespräch.mp3"),
        ("; filename*=utf-8''Gespr%C3%A4ch.mp3", "Gespräch.mp3"),
        ("", ""),
    ],
)
def test_a_files_name_is_read_as_it_is_written(more: str, name: str) -> None:
    form, _ = read(part("file", b"x", more) + b"--b0--\r\n", 1000)
    assert form.file_name == name


def test_another_file_is_let_go_and_a_second_one_refused() -> None:
    picture = part("thumb", b"x" * 2_000_000, '; filename="thumb.jpg"')
    form, _ = read(picture + part("payload", b"{}") + b"--b0--\r\n", 65_536)
    assert form.fields == {"payload": ["{}"]}
    with pytest.raises(HttpProblem, match="Two files"):
        read(part("file", b"x") * 2 + b"--b0--\r\n", 1000)


def test_a_form_of_another_kind_is_read_and_one_cut_off_is_refused() -> None:
    kind = "application/x-www-form-urlencoded"
    form = asyncio.run(read_form(request([b"data=%7B%7D&a=1&a=2"], kind)))
    assert form.fields == {"data": ["{}"], "a": ["1", "2"]}
    with pytest.raises(HttpProblem, match="ends before"):
        read(part("file", b"x"), 1000)


@pytest.mark.parametrize("size", [1, 3, 4, 5, 4000])
def test_raw_sound_becomes_a_file_that_says_its_length(tmp_path: Path, size: int) -> None:
    raw = b"\x01\x02" * 16_000

    async def arrive() -> tuple[int | None, Path]:
        async with Arriving(tmp_path, request([b""])) as arriving:
            sound = RawSound(arriving)
            for start in range(0, len(raw), size):
                await sound.add(raw[start : start + size])
            length_ms = await sound.end()
            return length_ms, (await arriving.finish("a.wav")).path

    length_ms, path = asyncio.run(arrive())
    assert length_ms == 1000
    with wave.open(str(path)) as read_back:
        assert (read_back.getframerate(), read_back.getnframes()) == (16_000, 16_000)
        assert read_back.readframes(16_000) == raw


def test_a_head_of_more_than_it_can_say_is_a_head() -> None:
    with wave.open(io.BytesIO(wave_head(2**33) + b"\0\0")) as sound:
        assert sound.getnchannels() == 1


def test_a_film_is_heard_in_its_middle_first() -> None:
    assert stretches(7_200_000)[0] == (3_585_000, 3_615_000)
    assert all(start >= 0 and end <= 61_000 for start, end in stretches(61_000) if start and end)
    assert stretches(45_000) == [(None, None)]
    assert stretches(None)[-1] == (None, None)
