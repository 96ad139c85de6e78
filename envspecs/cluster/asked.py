"""Why a machine that is a node is not asked about jobs."""

from __future__ import annotations

import os

from envspecs.cluster.settings import cluster_settings
from envspecs.layout import state_directory
from protocol.errors import NotRunningError

__all__ = ["why_on_node"]


def why_on_node() -> NotRunningError | None:
    """Return why nobody here knows of jobs; None where this machine is no node.

    Raises what `cluster_settings` does.
    """
    settings = cluster_settings(state_directory(), os.environ)
    if settings.role != "node":
        return None
    message = f"This machine is the node {settings.name} of the cluster at {settings.head}."
    return NotRunningError(message, "Ask on the head; here there is: cpw cluster status, cpw logs")
