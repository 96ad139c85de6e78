"""Runs the bridge as a process: signals, Ray's ways with a process, and how it ends."""

from __future__ import annotations

import logging
import os
import platform
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from cluster.bridge.bridge import Bridge
from cluster.bridge.fleet import Fleet
from cluster.carriage.parcels import CARRIAGE
from envspecs.code import code_digest
from protocol.cluster.bridge import AgentFacts

__all__ = ["head_facts", "leave_no_path", "run_bridge"]


def leave_no_path() -> None:
    """Go to the root directory, before Ray is asked.

    Ray gives the driver's directory to all nodes as the first place of their imports. Of any other
    a node might have one of the same name, with other code in it, or another user's.
    """
    os.chdir("/")


def head_facts(ray_version: str) -> AgentFacts:
    """Return the head's versions, for nodes to be compared with."""
    return AgentFacts(
        node="head",
        place="",
        carriage=CARRIAGE,
        python=platform.python_version(),
        ray=ray_version,
        code=code_digest(),
    )


def run_bridge(runtime: Path, connect: Callable[[], Fleet], ray_version: str) -> NoReturn:
    """Follow the cluster's nodes until told to stop, then end this process."""
    # Connecting takes as long as Ray likes, and asks no signal handler meanwhile.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    leave_no_path()
    fleet = connect()
    bridge = Bridge(runtime, fleet, head_facts(ray_version))
    # Ray has put its own in place, which waits for its threads.
    signal.signal(signal.SIGTERM, lambda *_: bridge.stop())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    code = bridge.serve()
    logging.shutdown()
    # Without Ray's own end, which asks a GCS that may have gone, for longer than anybody waits.
    os._exit(code)
