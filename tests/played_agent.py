"""What runs in Ray when a test plays a cluster: the real agent, bridge and relay, of a node without files.

`python -m tests.played_agent RUNTIME ADDRESS` is the bridge of a head whose coordinator a test plays.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import ray

from cluster.bridge.running import run_bridge
from cluster.carriage.agent import Agent, RayUpstream
from cluster.ray.fleet import RayFleet
from cluster.relay.checks import Checks
from cluster.relay.facts import NodeFacts
from cluster.relay.relay import Relay
from protocol.clock import now_iso
from protocol.cluster.messages import NodeHello, NodeState, Share
from protocol.messages import Call, CallIdentity, Result

NODE = "PLAYED_NODE"
"""The variable with the node's name."""


class FewFacts(NodeFacts):
    """A node that has nothing, and looks for nothing."""

    def hello(self, shares: Iterable[Share]) -> NodeHello:
        return NodeHello(node=self.node, at=now_iso())

    def state(self, workers: Mapping[str, int], problems: Iterable[str]) -> NodeState:
        return NodeState(workers=tuple(sorted(workers)))


class NoFiles:
    """Calls need no files."""

    def prepare(self, identity: CallIdentity, call: Call) -> Call:
        return call

    def publish(self, identity: CallIdentity, call: Call | None, result: Result) -> Result:
        return result

    def keeps(self, identity: CallIdentity) -> bool:
        return False

    def send_log(self, identity: CallIdentity) -> None:
        pass

    def forget(self, identity: CallIdentity) -> None:
        pass

    def fetch_model(self, model: str) -> None:
        pass


def make_relay(upstream: RayUpstream) -> Relay:
    """Return a relay that serves."""
    runtime = Path(os.environ["CPW_RUNTIME"])
    facts = FewFacts(node=os.environ[NODE], runtime=runtime, jobs=runtime)
    relay = Relay(facts, NoFiles(), upstream, Checks({}), lambda *_: None)
    relay.start()
    return relay


class PlayedAgent(Agent):
    """Every node's."""

    def __init__(self) -> None:
        super().__init__(make_relay, os.environ[NODE], ray.__version__)


def main(runtime: str, address: str) -> None:
    """Be the bridge until told to stop."""
    # By its module's name: as `__main__` no other process could find it.
    from tests.played_agent import PlayedAgent as Agents

    run_bridge(Path(runtime), lambda: RayFleet(address, Agents), ray.__version__)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    main(*sys.argv[1:])
