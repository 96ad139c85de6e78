"""What a command of the shell works with: the checkout, the way to the coordinator, the screen, the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from clients.screen.report import Report
from envspecs.layout import home
from protocol.endpoints import client_endpoint, prepare_runtime_directory, runtime_directory
from protocol.errors import NotRunningError

__all__ = ["Asker", "Connect", "Desk", "connect", "desk_here", "output_root"]


class Asker(Protocol):
    """Whoever answers a client's questions: `clients.connection.Client`, or a test's fake."""

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        """Return the answering message; `NotRunningError` when nobody answers in time."""
        ...


Connect = Callable[[Path], AbstractContextManager[Asker]]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything a command touches outside itself, so that a test can lay its own."""

    home: Path
    runtime: Path
    out: Path
    """Where job folders are made unless a person says otherwise."""
    report: Report
    connect: Connect
    clock: Callable[[], float] = field(default=time.monotonic)
    pause: Callable[[float], None] = field(default=time.sleep)


def output_root(root: Path) -> Path:
    """Return the folder of job folders in the checkout at `root`; `CPW_OUT` overrides it."""
    override = os.environ.get("CPW_OUT")
    return Path(override).resolve() if override else root / "out"


def connect(runtime: Path) -> AbstractContextManager[Asker]:
    """Return a client of the coordinator whose sockets lie in `runtime`."""
    # Here and not above: `cpw --help` and tab completion need no sockets.
    from clients.connection import Client

    if os.path.lexists(runtime):
        # In a folder that others may write, somebody else could answer.
        prepare_runtime_directory(runtime)
    return _Line(Client(runtime), Path(client_endpoint(runtime).removeprefix("ipc://")))


class _Line:
    """A client that knows at once when nobody can answer: without a socket there is no coordinator."""

    def __init__(self, client: AbstractContextManager[Asker], socket: Path) -> None:
        self._client = client
        self._socket = socket
        self._asker: Asker | None = None

    def __enter__(self) -> Asker:
        self._asker = self._client.__enter__()
        return self

    def __exit__(self, *error: Any) -> bool | None:
        return self._client.__exit__(*error)

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        """Ask the coordinator."""
        if self._asker is None or not self._socket.exists():
            raise NotRunningError("The coordinator does not answer.", "make up")
        return self._asker.ask(message, timeout_ms=timeout_ms)


def desk_here() -> Desk:
    """Return the desk of this process: this checkout, this terminal."""
    root = home()
    # Absolute, because the supervisor inherits the word but not the folder it was said in.
    runtime = runtime_directory(root).absolute()
    return Desk(home=root, runtime=runtime, out=output_root(root), report=Report(), connect=connect)
