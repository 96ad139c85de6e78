"""The agent of a node, as Ray makes it: by the name of this module, from the node's own checkout."""

from __future__ import annotations

import logging
import os

from cluster.carriage.agent import Agent
from cluster.ray.fleet import RAY_VERSION
from cluster.relay.making import make_relay
from envspecs.cluster.settings import cluster_settings
from envspecs.layout import state_directory

__all__ = ["NodeAgent"]


class NodeAgent(Agent):
    """The node's relay, and what the bridge calls; its settings are those of the node's supervisor."""

    def __init__(self) -> None:
        os.umask(0o077)
        # Ray has handlers of its own, which it hands on to whoever started it: the node's `ray.log`.
        logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", force=True)
        settings = cluster_settings(state_directory(), os.environ)
        super().__init__(make_relay, settings.name, RAY_VERSION)
