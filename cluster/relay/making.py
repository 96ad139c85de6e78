"""Makes the relay of the machine that this process runs on, as its settings say."""

from __future__ import annotations

import os

from cluster.files.node_files import node_files_here
from cluster.relay.checks import Checks
from cluster.relay.facts import NodeFacts
from cluster.relay.relay import Relay, Upstream
from envspecs.cluster.settings import cluster_settings
from envspecs.layout import home, state_directory
from protocol.endpoints import runtime_directory

__all__ = ["make_relay"]


def make_relay(upstream: Upstream) -> Relay:
    """Return the relay of this node, which serves already.

    Raises `UsageError` where a setting is wrong, `OSError` where the node's folders cannot be made.
    """
    settings = cluster_settings(state_directory(), os.environ)
    shares = {share.head: share.here for share in settings.shares}
    files = node_files_here(settings.name, shares)
    facts = NodeFacts(node=settings.name, runtime=runtime_directory(home()), jobs=state_directory())
    relay = Relay(facts, files, upstream, Checks(shares), files.use_door)
    relay.start()
    return relay
