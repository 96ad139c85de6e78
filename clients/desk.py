"""What a command works with: the checkout, the connection to the coordinator, the screen, the clock."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from clients.screen.report import Report
from envspecs.cluster.asked import why_on_node
from envspecs.layout import home, out_directory
from protocol.endpoints import client_endpoint, prepare_runtime_directory, runtime_directory
from protocol.errors import NotRunningError

__all__ = ["Asker", "CheckedClient", "Connect", "Desk", "connect", "desk_here"]


class Asker(Protocol):
    """What answers a client's questions: `clients.connection.Client`, or a test's fake."""

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        """Return the answering message; `NotRunningError` when nobody answers in time."""
        ...


Connect = Callable[[Path], AbstractContextManager[Asker]]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Everything that a command uses from outside, so that a test can replace it."""

    home: Path
    runtime: Path
    out: Path
    """The folder for job folders, unless a person names another one."""
    report: Report
    connect: Connect
    clock: Callable[[], float] = field(default=time.monotonic)
    pause: Callable[[float], None] = field(default=time.sleep)


def connect(runtime: Path) -> CheckedClient:
    """Return a client of the coordinator whose sockets lie in `runtime`."""
    if os.path.lexists(runtime):
        # In a folder that others may write, somebody else could answer.
        prepare_runtime_directory(runtime)
    return CheckedClient(lambda: _open_client(runtime), Path(client_endpoint(runtime).removeprefix("ipc://")))


def _open_client(runtime: Path) -> AbstractContextManager[Asker]:
    # Here and not above: a command that asks nothing does not load ZeroMQ.
    from clients.connection import Client

    return Client(runtime)


class CheckedClient:
    """A client that does not wait for an answer where there is no socket; a context manager.

    `open_client` is called for the first question, if there is a socket then.
    """

    def __init__(self, open_client: Callable[[], AbstractContextManager[Asker]], socket: Path) -> None:
        self._open_client = open_client
        self._socket = socket
        self._client: Asker | None = None
        self._closing = ExitStack()

    def __enter__(self) -> CheckedClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._client = None
        self._closing.close()

    def ask(self, message: Any, *, timeout_ms: int | None = None) -> Any:
        """Ask the coordinator."""
        if not self._socket.exists():
            raise why_on_node() or NotRunningError("The coordinator does not answer.", "make up")
        if self._client is None:
            self._client = self._closing.enter_context(self._open_client())
        return self._client.ask(message, timeout_ms=timeout_ms)


def desk_here() -> Desk:
    """Return the desk of this process: this checkout, this terminal."""
    root = home()
    # Absolute, because the supervisor inherits the variable but runs in another folder.
    runtime = runtime_directory(root).absolute()
    return Desk(home=root, runtime=runtime, out=out_directory(root), report=Report(), connect=connect)
