"""Who this process is, and what an older run of it has left."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import psutil

from envspecs.processes.variables import COOKIE
from protocol.supervisor import SupervisorReport

__all__ = ["end_session", "myself", "sweep"]

_ROUNDS = 3
"""A process may start another one while the list is being read."""


def myself() -> SupervisorReport:
    """Return this process as others can recognise it."""
    me = psutil.Process()
    return SupervisorReport(pid=me.pid, started=me.create_time())


def sweep(runtime: Path) -> int:
    """Kill what an older run left: processes of ours whose environment carries this runtime's cookie.

    What they were writing when they were killed is removed; nobody finishes it.
    """
    left = []
    family = {os.getpid(), os.getppid()}
    for process in psutil.process_iter(["pid", "uids"]):
        if process.pid in family or process.info["uids"] is None or process.info["uids"].real != os.getuid():
            continue
        with contextlib.suppress(psutil.Error):
            if process.environ().get(COOKIE) == str(runtime):
                process.kill()
                left.append(process)
    psutil.wait_procs(left, timeout=5)
    for part in runtime.glob(".*.part"):
        part.unlink(missing_ok=True)
    return len(left)


def end_session(session: int, *, spared: int = 0) -> None:
    """Kill every process of the session, in whatever process group it is; `spared` stays.

    Ray puts each of its workers into a group of its own. Nobody who is not descended from the session's first
    process can be in it.
    """
    for _ in range(_ROUNDS):
        found = [pid for pid in psutil.pids() if pid != spared and _session_of(pid) == session]
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _session_of(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return None
