"""Who this process is, and what an older run of it has left."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import psutil

from envspecs.processes.variables import COOKIE
from protocol.supervisor import SupervisorReport

__all__ = ["myself", "sweep"]


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
