"""The bridge, as the supervisor of a head starts it: `python -m cluster`."""

from __future__ import annotations

import logging
import os
import sys

from cluster.bridge.fleet import FleetError
from cluster.bridge.running import run_bridge
from cluster.ray.agent import NodeAgent
from cluster.ray.fleet import RAY_VERSION, RayFleet
from envspecs.cluster.settings import cluster_settings
from envspecs.layout import home, state_directory
from protocol.cluster.bridge import BRIDGE_LOST
from protocol.endpoints import runtime_directory
from protocol.errors import CpwError, UsageError

log = logging.getLogger("cluster")


def main() -> None:
    """Follow the nodes of this head's cluster, and end this process when told to."""
    settings = cluster_settings(state_directory(), os.environ)
    if settings.role != "head":
        message = "This machine is no head of a cluster."
        raise UsageError(message, "cpw cluster start")
    run_bridge(runtime_directory(home()), lambda: RayFleet(settings.head, NodeAgent), RAY_VERSION)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        main()
    except CpwError as failure:
        log.critical("%s %s", failure.message, failure.remedy)
        sys.exit(BRIDGE_LOST)
    except FleetError as failure:
        log.critical("Ray cannot be asked: %s", failure)
        sys.exit(BRIDGE_LOST)
