"""The supervisors of all machines: this one's by its file and its pipe, a node's by what the node said."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import psutil

from coordinator.nodes.nodes import Nodes
from protocol.cluster.messages import NodeCommand
from protocol.cluster.names import node_of
from protocol.supervisor import ChildExit, Command, child_of, read_children, render_command

__all__ = ["Houses", "is_alive"]

log = logging.getLogger(__name__)


def is_alive(pid: int) -> bool:
    """Return whether the process runs here; one that has ended but is not reaped yet does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (psutil.Error, ValueError):
        return False


class Houses:
    """Asks and commands the supervisor of the machine that a worker runs on. Used by the loop's thread alone.

    `control` is the pipe to the supervisor of this machine, None where there is none. `send` gives a message
    to a node; nothing where the node has gone.
    """

    def __init__(
        self, runtime: Path, control: int | None, nodes: Nodes, send: Callable[[str, NodeCommand], object]
    ) -> None:
        self._runtime = runtime
        self._control = control
        self._nodes = nodes
        self._send = send
        if control is not None:
            os.set_blocking(control, False)

    def is_alive(self, worker: str, pid: int) -> bool:
        """Return whether the worker's process runs, as far as is known here."""
        if not node_of(worker):
            return is_alive(pid)
        node = self._nodes.of(worker)
        return node is not None and node.is_alive(worker)

    def last_exit(self, worker: str, environment: str) -> ChildExit:
        """Return how the last worker in this one's place ended; all defaults if unknown."""
        child = child_of(worker, environment)
        if not node_of(worker):
            report = read_children(self._runtime).get(child)
            return (report.last_exit if report is not None else None) or ChildExit()
        node = self._nodes.of(worker)
        return node.last_exit(child) if node is not None else ChildExit()

    def command(self, command: Command, node: str = "") -> None:
        """Have the supervisor of `node` (empty: this machine's) do something."""
        if node:
            self._send(node, NodeCommand(line=render_command(command).decode()))
        elif self._control is not None:
            try:
                os.write(self._control, render_command(command))
            except BlockingIOError:
                log.warning(
                    "the supervisor does not read what it is told: %s is lost", type(command).__name__
                )
