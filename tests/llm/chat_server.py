"""An endpoint of a language model on this machine that answers as a test says, and worse."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["ChatServer", "Visit", "answer_of", "lines_in", "translated"]

MODEL = "played-model"


class Visit(BaseHTTPRequestHandler):
    """One request; a behaviour answers with one of these."""

    protocol_version = "HTTP/1.1"
    server: _Server
    body: dict[str, Any]

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        self.server.owner.seen.append((self.path, self.named()))
        self.json(200, {"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    def do_POST(self) -> None:
        owner = self.server.owner
        self.body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with owner.lock:
            owner.seen.append((self.path, self.named()))
            owner.asked.append(self.body)
            number = len(owner.asked)
        owner.behaviour(self, number)

    def named(self) -> dict[str, str]:
        """Return the headers, their names in small letters."""
        return {name.lower(): value for name, value in self.headers.items()}

    def json(self, status: int, body: object, **headers: str) -> None:
        """Answer with a document."""
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def begin(self) -> None:
        """Begin a stream of events."""
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True

    def event(self, data: object) -> None:
        """Send an event."""
        text = data if isinstance(data, str) else json.dumps(data)
        self.wfile.write(f"data: {text}\n\n".encode())
        self.wfile.flush()

    def say(self, *pieces: str, end: str = "stop", tokens: tuple[int, int] = (100, 20)) -> None:
        """Answer with these pieces of text, whole and well."""
        self.begin()
        for piece in pieces:
            self.event({"choices": [{"index": 0, "delta": {"content": piece}}]})
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": end}]})
        self.event({"choices": [], "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}})
        self.event("[DONE]")

    def wait_for_the_end(self) -> None:
        """Hold the line until the test is over."""
        self.server.owner.over.wait()

    def drip(self, pieces: Iterable[bytes], every_s: float) -> None:
        """Send a piece now and then, until the other side has gone or the test is over."""
        for piece in pieces:
            if self.server.owner.over.wait(every_s):
                return
            try:
                self.wfile.write(piece)
                self.wfile.flush()
            except OSError:
                self.server.owner.left.set()
                return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    owner: ChatServer

    def handle_error(self, *_: object) -> None:
        """A client that goes is what some tests are about."""


Behaviour = Callable[[Visit, int], None]
"""Takes the visit and its number, from 1."""


class ChatServer:
    """A context manager. `asked` has the bodies of all questions, `seen` the paths and headers."""

    def __init__(self, behaviour: Behaviour | None = None) -> None:
        self.behaviour = behaviour or translate_all
        self.asked: list[dict[str, Any]] = []
        self.seen: list[tuple[str, dict[str, str]]] = []
        self.over, self.left = threading.Event(), threading.Event()
        self.lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), Visit)
        self._server.owner = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def __enter__(self) -> ChatServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()


def lines_in(body: dict[str, Any]) -> dict[str, str]:
    """Return the lines that a question asks for, by number."""
    lines = json.loads(body["messages"][-1]["content"])["lines"]
    return {number: line if isinstance(line, str) else line["text"] for number, line in lines.items()}


def translated(text: str) -> str:
    """Return a text as the played model translates it: other words, and the same numbers."""
    return " ".join(word if word.isdigit() else word[::-1] for word in text.rstrip(".").split()) + "."


def answer_of(body: dict[str, Any]) -> str:
    """Return a good answer to a question."""
    return json.dumps({number: translated(text) for number, text in lines_in(body).items()})


def translate_all(visit: Visit, _number: int) -> None:
    """Answer every question well."""
    visit.say(answer_of(visit.body))
