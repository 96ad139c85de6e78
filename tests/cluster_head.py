"""The head's real HTTP server on loopback; what its coordinator answers is a test's."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from clients.api import server as serving
from clients.api.door.keys import Keys
from clients.desk import Desk
from envspecs.cluster.door_key import make_door_key
from envspecs.http.settings import HttpSettings
from protocol.artefacts import Artefact, describe_file
from protocol.cluster.messages import Door
from protocol.messages import JobReport, StatusQuery, StatusReport, StepReport

__all__ = ["PERSONS_KEY", "PlayedHead"]

PERSONS_KEY = "a person's key"


class PlayedHead:
    """A context manager; it can break lines off and change bytes on their way."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "head"
        self.jobs: dict[str, JobReport] = {}
        self.asked: list[tuple[str, str, str]] = []
        """Method, path and `Range` of every request, in order."""
        self.breaks_off_after: list[int] = []
        """Of the next answers with a file: after so many bytes the line breaks."""
        self.when_broken: Callable[[], None] = lambda: None
        self.spoils = 0
        """In so many of the next answers with a file a byte is changed on the way."""
        self.sent_bytes = 0
        """Of all bodies."""
        self.home.mkdir()

    def begin_anew(self) -> None:
        """Forget the jobs and the requests of the test before."""
        shutil.rmtree(self.home / "out", ignore_errors=True)
        shutil.rmtree(self.home / "models", ignore_errors=True)
        self.jobs.clear()
        self.asked.clear()
        self.breaks_off_after.clear()
        self.when_broken = lambda: None
        self.spoils = self.sent_bytes = 0

    def __enter__(self) -> PlayedHead:
        self._listen(HttpSettings(port=0, is_chosen=True))
        return self

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self._thread.join(10)
        self._socket.close()

    @contextlib.contextmanager
    def server_away(self) -> Iterator[Callable[[], None]]:
        """Have nobody listen, until what is given is called."""
        address = self._socket.getsockname()[:2]
        self.__exit__()
        yield lambda: self._listen(HttpSettings(host=address[0], port=address[1], is_chosen=True))

    def _listen(self, settings: HttpSettings) -> None:
        nobody: Any = None
        desk = Desk(
            home=self.home, runtime=self.home, out=self.home / "out", report=nobody, connect=self._connect
        )
        app = serving.make_app(desk, Keys(token=PERSONS_KEY), settings)
        app.add_middleware(self._middleware)
        self._socket = serving.bind(settings)
        self.server = serving.Server(app)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        asyncio.run(self.server.serve(sockets=[self._socket]))

    @property
    def url(self) -> str:
        host, port = self._socket.getsockname()[:2]
        return f"http://{host}:{port}"

    @property
    def netloc(self) -> str:
        return self.url.removeprefix("http://")

    def door(self) -> Door:
        """Return what a node is told in its welcome; the key is made."""
        return Door(url=self.url, key=make_door_key(self.home / "state"))

    def add_job(self, job: str = "job-1", **running: int) -> Path:
        """Have a job, some of whose steps run: step to attempt. Return its folder."""
        folder = self.home / "out" / job
        folder.mkdir(parents=True, exist_ok=True)
        steps = tuple(
            StepReport(name=name, stage=name, environment="e", state="running", attempt=attempt, fraction=0.0)
            for name, attempt in running.items()
        )
        self.jobs[job] = JobReport(
            job=job,
            state="running",
            media="/film.mkv",
            workflow="transcribe",
            directory=str(folder),
            created_at="2026-01-01T00:00:00.000Z",
            elapsed_ms=1,
            fraction=0.0,
            steps=steps,
        )
        return folder

    def add_file(self, name: str, data: bytes, job: str = "job-1") -> Artefact:
        """Have a file in a job's folder."""
        path = self.home / "out" / job / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return describe_file(path, name)

    def gets(self, name: str) -> list[str]:
        """Return the `Range` of each request for a file of this name."""
        return [asked for method, path, asked in self.asked if method == "GET" and path.endswith(f"/{name}")]

    @contextlib.contextmanager
    def _connect(self, runtime: Path) -> Iterator[PlayedHead]:
        del runtime
        yield self

    def ask(self, question: Any, *, timeout_ms: int | None = None) -> StatusReport:
        """Be the coordinator."""
        del timeout_ms
        assert isinstance(question, StatusQuery)
        return StatusReport(jobs=tuple(self.jobs[job] for job in question.jobs if job in self.jobs))

    def _middleware(self, app: ASGIApp) -> ASGIApp:
        async def played(scope: Scope, receive: Receive, send: Send) -> None:
            headers = dict(scope["headers"])
            self.asked.append((scope["method"], scope["path"], headers.get(b"range", b"").decode()))
            is_file = scope["method"] == "GET" and "/files/" in scope["path"]
            left = self.breaks_off_after.pop(0) if is_file and self.breaks_off_after else None
            spoil = is_file and self.spoils > 0
            self.spoils -= spoil

            async def passed_on(message: Message) -> None:
                nonlocal left, spoil
                body = message.get("body", b"")
                if left is not None and body:
                    if left < len(body):
                        await send({**message, "body": body[:left], "more_body": True})
                        self.when_broken()
                        text = "the line breaks, as the test wants it"
                        raise ConnectionResetError(text)
                    left -= len(body)
                if spoil and body:
                    message = {**message, "body": bytes([body[0] ^ 1]) + body[1:]}
                    spoil = False
                self.sent_bytes += len(body)
                await send(message)

            await app(scope, receive, passed_on)

        return played
