"""Asks a cluster by the program of the environment that has Ray, within a deadline."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from envspecs.builds.installed import start_in
from envspecs.choosing import program_for
from envspecs.cluster.ray import asking_environment
from envspecs.cluster.settings import join_address
from protocol.cluster.probing import ProbeAnswer
from protocol.errors import NotRunningError, SchemaError
from protocol.schema import from_json

__all__ = ["DEADLINE_S", "TASK", "Probe", "check_reachable"]

TASK = "probe"
_CONNECT_S = 2.0
DEADLINE_S = 7.0
"""Ray's own client waits for half a minute and more."""


def check_reachable(host: str, port: int) -> str:
    """Return the IP address of this machine from which the head is reached.

    Raises `NotRunningError` where it is not reached within 2 s.
    """
    try:
        with socket.create_connection((host, port), _CONNECT_S) as connection:
            return str(connection.getsockname()[0])
    except OSError as error:
        reason = (
            f"no answer within {_CONNECT_S:.0f} s"
            if isinstance(error, TimeoutError)
            else error.strerror or str(error)
        )
        message = f"No head of a cluster is reached at {join_address(host, port)}: {reason}."
        remedy = "On the head: cpw cluster status; its firewall must let this machine in (docs/cluster.md)"
        raise NotRunningError(message, remedy) from error


_QUICK = {"RAY_gcs_rpc_server_connect_timeout_s": "3", "RAY_nums_py_gcs_reconnect_retry": "0"}
_WITHOUT_TOKEN = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}


class Probe:
    """A question to the cluster at an address that is under way; several may be at once.

    `token` is the file of its token; None asks as somebody who has none.
    """

    def __init__(self, home: Path, address: str, token: Path | None) -> None:
        spec, module = program_for(TASK, home)
        self._until_s = time.monotonic() + DEADLINE_S
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 (closed by `answer`)
        variables = _QUICK | (asking_environment(token) if token is not None else _WITHOUT_TOKEN)
        self._process = start_in(
            spec.name, ("-I", "-m", module, address), home, stderr=self._said, variables=variables
        )

    def answer(self) -> ProbeAnswer:
        """Return what was answered; `silent` where that takes longer than the deadline."""
        with self._said, self._process as process:
            try:
                written, _ = process.communicate(timeout=max(0.0, self._until_s - time.monotonic()))
            except subprocess.TimeoutExpired:
                return ProbeAnswer(problem="silent", details=f"no answer within {DEADLINE_S:.0f} s")
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)
            try:
                return from_json(ProbeAnswer, written.strip().rpartition(b"\n")[2])
            except (ValueError, SchemaError):
                self._said.seek(0)
                last = self._said.read().decode(errors="replace").strip().rpartition("\n")[2]
                return ProbeAnswer(problem="silent", details=last[:300])
