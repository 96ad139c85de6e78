"""Ray and the bridge among the supervisor's children: they carry calls between the machines of a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envspecs.builds.history import current_build
from envspecs.cluster.ray import (
    close_ray_directory,
    listens_here,
    ray_command,
    ray_directory,
    ray_environment,
)
from envspecs.cluster.settings import ClusterSettings, cluster_settings
from envspecs.cluster.token import check_token, token_path
from envspecs.layout import CLUSTER, interpreter, logs_directory, state_directory
from envspecs.processes.child import Child
from protocol.endpoints import worker_socket
from protocol.errors import CpwError
from protocol.supervisor import BRIDGE, RAY, ChildState, control_file

__all__ = ["CARRIERS", "Carriers", "carrier_children"]

log = logging.getLogger("supervisor")

CARRIERS = (BRIDGE, RAY)
"""Names of these children, in the order in which they are ended."""


class Carriers:
    """Which of them there are to be, as the settings said when they were last read."""

    def __init__(self, home: Path, runtime: Path, environment: Mapping[str, str]) -> None:
        """Read the settings; raises what `cluster_settings` and `check_token` do."""
        self._home = home
        self._runtime = runtime
        self._environment = environment
        self._asked = False
        self.settings = self._read()

    def _read(self) -> ClusterSettings:
        state = state_directory(self._home)
        settings = cluster_settings(state, os.environ)
        if settings.role != "off":
            check_token(state)
        return settings

    @property
    def on_node(self) -> bool:
        """Return whether this machine has no coordinator: its workers do calls for the head's."""
        return self.settings.role == "node"

    @property
    def fifo(self) -> Path | None:
        """Return where commands come from in place of a coordinator."""
        return control_file(self._runtime) if self.on_node else None

    def is_up(self) -> bool:
        """Return whether this node can be reached."""
        return self.on_node and listens_here(self.settings)

    def drain_s(self, usual_s: float) -> float:
        """Return how long the workers may take to end their calls when we stop; 0: nobody drains them.

        The coordinator does, or on a node the agent; a node that leaves for good is given more time.
        """
        if not self.on_node:
            return usual_s
        if not worker_socket(self._runtime).exists():
            return 0.0
        with contextlib.suppress(CpwError):
            return max(usual_s, self._read().leaves_within_s)
        return usual_s

    def look_again(self, *_: object) -> None:
        """Note that the settings were changed; the handler of a signal."""
        self._asked = True

    def changes(self, children: Mapping[str, Child]) -> tuple[list[Child], list[Child]]:
        """Return which children are to be started now, and which ended; none unless the settings changed.

        Who becomes a node, or ends to be one, is started anew: that is not done here.
        """
        if not self._asked:
            return [], []
        self._asked = False
        try:
            settings = self._read()
        except CpwError as error:
            log.warning("the settings of the cluster: %s", error)
            return [], []
        if "node" in (settings.role, self.settings.role):
            return [], []
        self.settings = settings
        wanted = {child.name: child for child in self.children()}
        ends = [children[name] for name in CARRIERS if name in children and name not in wanted]
        return [child for name, child in wanted.items() if name not in children], ends

    def children(self) -> Iterator[Child]:
        """Yield the children that there are to be."""
        return carrier_children(self._home, self._runtime, self._environment, self.settings)

    def split(self, children: Iterable[Child]) -> tuple[list[Child], list[Child]]:
        """Return those of the children that carry, and the others."""
        found = list(children)
        return [x for x in found if x.name in CARRIERS], [x for x in found if x.name not in CARRIERS]


def carrier_children(
    home: Path, runtime: Path, environment: Mapping[str, str], cluster: ClusterSettings
) -> Iterator[Child]:
    """Yield what runs in the environment of a cluster: Ray on head and nodes, the bridge on the head."""
    if cluster.role == "off":
        return
    build = current_build(CLUSTER)
    python = interpreter(CLUSTER)
    # Ray passes them on to the agent, which finds by them where everything of this machine is.
    places = {**environment, "CPW_RUNTIME": str(runtime)}
    if "CPW_STATE" in places:
        places["CPW_STATE"] = str(state_directory(home))
    variables = ray_environment(places, cluster, token_path(state_directory(home)))
    commands = {RAY: ray_command(python, cluster, ray_directory(runtime))}
    if cluster.role == "head" and (home / BRIDGE / "__main__.py").is_file():
        commands[BRIDGE] = [str(python), "-I", "-u", "-m", BRIDGE]
    for name, command in commands.items():
        file = logs_directory(home) / f"{name}.log"
        child = Child(name=name, command=command, environment=variables, log=file, build=build)
        child.session = name == RAY
        child.state, child.problem, child.remedy = _fitness(runtime, built=build is not None)
        yield child


def _fitness(runtime: Path, *, built: bool) -> tuple[ChildState, str, str]:
    """Return in which state such a child begins, and why it cannot run where it cannot."""
    if not built:
        return "not built", f"The environment {CLUSTER} is not built.", f"cpw envs build {CLUSTER}"
    try:
        close_ray_directory(runtime)
    except CpwError as error:
        return "stopped", error.message, error.remedy
    return "starting", "", ""
