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
from protocol.clock import parse_iso_ms
from protocol.cluster.probing import NodeSeen, ProbeAnswer
from protocol.errors import NotRunningError
from protocol.supervisor import BRIDGE, FINAL_STATES, RAY

__all__ = ["GOES_ON", "wait_for_ray", "wait_without_ray"]

GOES_ON = "it is still starting, and goes on; see: cpw cluster status"
"""What is said to whoever ends the wait."""
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
        begun_ms = _begun_ms(desk, process)
        if listens_here(settings):
            answer = Probe(desk.home, settings.head, token).answer()
            if answer.problem == "refused":
                check_told(answer, settings.head)
            if any(_is_ours(node, settings, begun_ms) for node in answer.nodes):
                return answer
        if desk.clock() >= deadline:
            message = f"Ray has not begun within {seconds:.0f} s; it is tried again and again."
            raise NotRunningError(message, f"cpw logs {RAY}")
        desk.pause(_LOOK_SECONDS)


def _begun_ms(desk: Desk, process: subprocess.Popen[bytes] | None) -> int:
    """Return when the supervisor has started Ray, in ms since 1970; 0 where that is not known yet.

    Raises `NotRunningError` where Ray does not come.
    """
    state = running_supervisor(desk)
    if state is None and (process is None or process.poll() is not None):
        raise NotRunningError("The supervisor has ended.", "cpw logs supervisor")
    child = state.children.get(RAY) if state is not None else None
    if child is None:
        return 0
    if child.state in FINAL_STATES:
        raise NotRunningError(child.problem, child.remedy)
    return parse_iso_ms(child.started_at) if child.started_at else 0


def _is_ours(node: NodeSeen, settings: ClusterSettings, begun_ms: int) -> bool:
    """Return whether this is our Ray of now: one that was killed may be called alive for a while."""
    return node.alive and node.name == settings.name and 0 < begun_ms <= node.since_ms


def wait_without_ray(desk: Desk, seconds: float) -> None:
    """Wait until the supervisor has ended Ray and the bridge; `NotRunningError` where that takes longer."""
    deadline = desk.clock() + seconds
    while (state := running_supervisor(desk)) is not None and {RAY, BRIDGE} & state.children.keys():
        if desk.clock() >= deadline:
            raise NotRunningError(f"Ray has not ended within {seconds:.0f} s.", "cpw down, then cpw up")
        desk.pause(_LOOK_SECONDS)
