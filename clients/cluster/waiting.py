"""Waits until this machine's part of Ray has begun, or ended."""

from __future__ import annotations

import subprocess

from clients.cluster.joining import check_told
from clients.cluster.probing import Probe
from clients.desk import Desk
from clients.supervisor import running_supervisor
from envspecs.cluster.ray import listens_here
from envspecs.cluster.settings import ClusterSettings
from envspecs.cluster.token import token_path
from envspecs.layout import state_directory
from protocol.cluster.probing import ProbeAnswer
from protocol.errors import NotRunningError
from protocol.supervisor import BRIDGE, FINAL_STATES, RAY

__all__ = ["wait_for_ray", "wait_without_ray"]

_LOOK_SECONDS = 0.25


def wait_for_ray(
    desk: Desk, settings: ClusterSettings, seconds: float, process: subprocess.Popen[bytes] | None = None
) -> ProbeAnswer:
    """Return what the cluster says as soon as it has this machine.

    `process` is the supervisor where it was started just now: it may not have written down yet that it runs.

    Raises `NotRunningError` where that takes longer, or the supervisor has given Ray up; and what
    `check_told` does where the head does not take our token any more.
    """
    deadline = desk.clock() + seconds
    token = token_path(state_directory(desk.home))
    while True:
        _check_alive(desk, process)
        if listens_here(settings):
            answer = Probe(desk.home, settings.head, token).answer()
            if answer.problem == "refused":
                check_told(answer, settings.head)
            if any(node.alive and node.name == settings.name for node in answer.nodes):
                return answer
        if desk.clock() >= deadline:
            message = f"Ray has not begun within {seconds:.0f} s; it is tried again and again."
            raise NotRunningError(message, f"cpw logs {RAY}")
        desk.pause(_LOOK_SECONDS)


def _check_alive(desk: Desk, process: subprocess.Popen[bytes] | None) -> None:
    state = running_supervisor(desk)
    if state is None:
        if process is not None and process.poll() is None:
            return
        raise NotRunningError("The supervisor has ended.", "cpw logs supervisor")
    child = state.children.get(RAY)
    if child is not None and child.state in FINAL_STATES:
        raise NotRunningError(child.problem, child.remedy)


def wait_without_ray(desk: Desk, seconds: float) -> None:
    """Wait until the supervisor has ended Ray and the bridge; `NotRunningError` where that takes longer."""
    deadline = desk.clock() + seconds
    while (state := running_supervisor(desk)) is not None and {RAY, BRIDGE} & state.children.keys():
        if desk.clock() >= deadline:
            raise NotRunningError(f"Ray has not ended within {seconds:.0f} s.", "cpw down, then cpw up")
        desk.pause(_LOOK_SECONDS)
