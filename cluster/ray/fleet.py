"""The bridge's way to Ray: which nodes there are, an agent on each, and calls that never wait."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import ray
from ray.exceptions import RayError
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster.bridge.fleet import Answered, FleetError
from cluster.bridge.joining import RayNode

__all__ = ["NAMESPACE", "RAY_VERSION", "RayFleet", "agent_name"]

NAMESPACE = "cpw"
RAY_VERSION: str = ray.__version__
_THREADS = 8
"""Of an agent. One waits in a pull, and another may wait in that of a bridge that was killed meanwhile.

An actor of asyncio needs 2.5 times as long for a call, as Ray carries each into a loop and back."""
_MOST_CHARACTERS = 300
_HEAD = "node:__internal_head__"
"""The resource by which Ray marks its head."""


def agent_name(node: str) -> str:
    """Return what Ray calls the agent of the node with this id."""
    return f"agent-{node}"


class RayFleet:
    """The nodes and agents of the cluster whose GCS is at `address`; `agent` is the agents' class.

    The class is one of an importable module: Ray tells nodes its name, and they run their own code.
    """

    def __init__(self, address: str, agent: type) -> None:
        self._agent = ray.remote(agent)
        self._agents: dict[str, Any] = {}
        try:
            ray.init(address=address, namespace=NAMESPACE, log_to_driver=False, logging_level=logging.ERROR)
        except (ConnectionError, RayError) as error:
            raise FleetError(_first_line(error)) from error

    def nodes(self) -> Sequence[RayNode]:
        """Return the nodes that Ray knows, dead ones too; `FleetError` where it cannot be asked."""
        try:
            return [
                RayNode(
                    id=found["NodeID"],
                    address=found["NodeManagerAddress"],
                    is_alive=found["Alive"],
                    is_head=_HEAD in found["Resources"],
                )
                for found in ray.nodes()
            ]
        except RayError as error:
            raise FleetError(_first_line(error)) from error

    def ensure_agent(self, node: str) -> None:
        """Have an agent on the node, made where there is none; `FleetError` where it cannot be asked.

        It is detached: it outlives the bridge, and the next bridge finds it by its name.
        """
        options = {
            "name": agent_name(node),
            "lifetime": "detached",
            "get_if_exists": True,
            "num_cpus": 0,
            "max_restarts": -1,
            "max_task_retries": 0,
            "max_concurrency": _THREADS,
            "scheduling_strategy": NodeAffinitySchedulingStrategy(node, soft=False),
        }
        try:
            self._agents[node] = self._agent.options(**options).remote()
        except RayError as error:
            raise FleetError(_first_line(error)) from error

    def forget_agent(self, node: str) -> None:
        """The node has gone: its agent is not to come back."""
        agent = self._agents.pop(node, None)
        if agent is not None:
            ray.kill(agent, no_restart=True)

    def call(self, node: str, method: str, arguments: tuple[Any, ...], answered: Answered) -> None:
        """Call a method of the node's agent, and return at once."""
        agent = self._agents.get(node)
        if agent is None:
            answered(None, "it has gone")
            return

        def hand_on(future: Future[Any]) -> None:
            error = future.exception()
            if error is None:
                answered(future.result(), "")
            else:
                answered(None, _reason(error))

        getattr(agent, method).remote(*arguments).future().add_done_callback(hand_on)


def _reason(error: BaseException) -> str:
    """Return what went wrong. The last line of an agent that cannot begin is its own error."""
    last = str(error).strip().rpartition("\n")[2].strip().rstrip(".")
    return f"{type(error).__name__}: {last[:_MOST_CHARACTERS]}" if last else type(error).__name__


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
