"""Entry: `<venv common>/bin/python -I -u -m coordinator --runtime DIRECTORY`; started by the supervisor."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
from pathlib import Path

import envspecs
from coordinator.coordinator import Coordinator
from coordinator.store import Store
from protocol.endpoints import prepare_runtime_directory


def main(arguments: list[str]) -> int:
    """Coordinate until told to stop; return the exit code."""
    parser = argparse.ArgumentParser(prog="coordinator")
    parser.add_argument("--runtime", required=True, type=Path)
    given = parser.parse_args(arguments)
    prepare_runtime_directory(given.runtime)
    store = Store(envspecs.state_directory() / "jobs.sqlite")
    control = os.environ.get("CPW_CONTROL_FD")
    coordinator = Coordinator(given.runtime, store, int(control) if control else None)
    signal.signal(signal.SIGTERM, lambda *_: coordinator.drain())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    coordinator.serve()
    store.close()
    return 0


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    sys.exit(main(sys.argv[1:]))
