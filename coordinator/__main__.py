"""Entry: `<venv common>/bin/python -I -u -m coordinator --runtime DIRECTORY`; started by the supervisor."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sqlite3
import sys
from pathlib import Path

import envspecs
from coordinator.loop import Coordinator
from coordinator.planning.admission import forget_unfinished
from coordinator.running.cores import CoreShares
from coordinator.running.memory import WorkerMemory
from coordinator.store.backups import hold, is_full, open_store, refuse_network
from envspecs.budgets import core_budget, ram_budget_bytes
from envspecs.hardware import known
from protocol.endpoints import prepare_runtime_directory
from protocol.errors import CpwError, ExitCode
from protocol.failpoints import reach

log = logging.getLogger("coordinator")


def main(arguments: list[str]) -> int:
    """Coordinate until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="coordinator")
    parser.add_argument("--runtime", required=True, type=Path)
    given = parser.parse_args(arguments)
    prepare_runtime_directory(given.runtime)
    reach("coordinator.boot.begun")
    state = envspecs.state_directory()
    refuse_network(state)
    with hold(state):
        return _serve(given.runtime, state)


def _serve(runtime: Path, state: Path) -> int:
    store = open_store(state)
    reach("coordinator.boot.store-opened")
    forget_unfinished(store)
    control = os.environ.get("CPW_CONTROL_FD")
    hardware = known(state=state)
    log.info("hardware: %s", hardware)
    memory = WorkerMemory(ram_budget_bytes(hardware.ram_bytes), hardware)
    threads = {spec.name: spec.threads for spec in envspecs.read_all()}
    cores = CoreShares(core_budget(hardware.cores), threads)
    coordinator = Coordinator(runtime, store, int(control) if control else None, memory, cores)
    signal.signal(signal.SIGTERM, lambda *_: coordinator.drain())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    reach("coordinator.boot.ready")
    coordinator.serve()
    reach("coordinator.drain.ended")
    store.close()
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        sys.exit(main(sys.argv[1:]))
    except CpwError as failure:
        log.critical("%s %s", failure.message, failure.remedy)
        sys.exit(ExitCode.NOT_RUNNING)
    except sqlite3.OperationalError as failure:
        if not is_full(failure):
            raise
        # Only the write that failed is missing: the next start goes on from there.
        log.critical("no space is left on the disk of the job store; make room: no job is lost")
        sys.exit(ExitCode.JOB_FAILED)
