"""How everything is: what the workers say, what the supervisor wrote, what is built."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import envspecs
from coordinator.nodes.health import at_node
from coordinator.nodes.nodes import Node
from coordinator.nodes.placing import digests_at_head, is_of_this_lock
from coordinator.running.roster import SILENT_AFTER_S, Member, Roster
from envspecs.budgets import memory_of
from envspecs.workers import Place, part_of
from protocol.clock import since_iso_ms
from protocol.errors import NotRunningError
from protocol.messages import EnvironmentHealth
from protocol.supervisor import (
    FINAL_STATES,
    ChildReport,
    children_of,
    environment_of,
    read_children,
)

__all__ = ["check_worker", "environments_health", "node_environments", "why_not_usable"]


def check_worker(environment: str, runtime: Path, roster: Roster) -> None:
    """Raise `NotRunningError` where the environment has no worker, and none will come by itself."""
    if environment in roster.environments():
        return
    children = read_children(runtime)
    child = _likeliest(children_of(environment, children))
    if children and (child is None or child.state == "not built"):
        # The supervisor looks at an environment when it starts it; the caller has found it built.
        message = f"{environment} was built after the start, and has no worker yet."
        raise NotRunningError(message, f"cpw envs reload {environment}")
    if child is not None and child.state in FINAL_STATES:
        raise NotRunningError(child.problem or f"The worker {environment} is not running.", child.remedy)


def _likeliest(workers: Mapping[str, ChildReport]) -> ChildReport | None:
    """Return one that may come by itself, else the first; None where there is none."""
    hopeful = (child for child in workers.values() if child.state not in FINAL_STATES)
    return next(hopeful, next(iter(workers.values()), None))


def why_not_usable(runtime: Path, roster: Roster, served_by: Iterable[str] = ()) -> dict[str, str]:
    """Return why work waits for an environment that has no worker: `crash-loop: cpw logs whisperx`.

    `served_by` are environments that jobs were planned with: a copy of one may have been removed since.
    """
    present = roster.environments()
    removed = set(served_by) - present - set(envspecs.spec_names())
    gone = {name: f"removed: cpw envs copy ENV {name}, or cpw cancel JOB" for name in removed}
    children = read_children(runtime)
    why = {}
    for name in {environment_of(child) for child in children} - present:
        child = _likeliest(children_of(name, children))
        if child is not None and (child.state in FINAL_STATES or child.state == "restarting"):
            why[name] = f"{child.state}: cpw logs {name}"
    return gone | why


def environments_health(
    specs: Iterable[envspecs.EnvSpec], runtime: Path, roster: Roster, now_s: float
) -> tuple[EnvironmentHealth, ...]:
    """Return the truth about each environment that has workers, and about each of its workers."""
    children = read_children(runtime)
    members = {member.child: member for member in roster.here()}
    found: list[EnvironmentHealth] = []
    for spec in specs:
        if spec.worker and spec.usable_here():
            names = children_of(spec.name, dict.fromkeys((*children, *members))) or (spec.name,)
            for name in names:
                child = children.get(name, None if children else ChildReport(state="stopped"))
                worker = _Worker(name, members.get(name), child, envspecs.is_built(spec))
                budget_bytes = _ram_budget(spec, len(children_of(spec.name, children)))
                problem = _behind(spec.name, child)
                found.append(_worker_health(spec, worker, now_s, problem, ram_budget_bytes=budget_bytes))
    return tuple(found)


def node_environments(
    specs: Iterable[envspecs.EnvSpec], node: Node, roster: Roster, now_s: float
) -> tuple[EnvironmentHealth, ...]:
    """Return the same about the environments that are built on a node."""
    digests = digests_at_head()
    members = {member.child: member for member in roster.members.values() if member.node == node.name}
    found: list[EnvironmentHealth] = []
    for spec in specs:
        if spec.worker and spec.name in node.locks:
            names = children_of(spec.name, dict.fromkeys((*node.children, *members))) or (spec.name,)
            workers = [_node_worker(spec, node, name, members.get(name), now_s) for name in names]
            same = is_of_this_lock(node, spec.name, digests)
            found += workers if same else [_of_other_lock(worker) for worker in workers]
    return tuple(found)


def _node_worker(
    spec: envspecs.EnvSpec, node: Node, name: str, member: Member | None, now_s: float
) -> EnvironmentHealth:
    child = node.children.get(name, None if node.children else ChildReport(state="stopped"))
    health = _worker_health(spec, _Worker(name, member, child, is_built=True), now_s, ("", ""))
    return replace(
        health,
        node=node.name,
        remedy=at_node(node.name, health.remedy),
        uptime_ms=since_iso_ms(node.here(member.started_at)) if member is not None else None,
    )


def _of_other_lock(health: EnvironmentHealth) -> EnvironmentHealth:
    """Return the health of a worker whose packages are not those of the head's lock."""
    remedy = at_node(health.node, f"git pull to the head's commit, then: cpw envs build {health.environment}")
    sentence = "Its packages are not those of the head's lock, so it gets no steps."
    return replace(health, usable=False, problem=sentence, remedy=remedy)


class _Worker(NamedTuple):
    """A worker as its house and the coordinator know it."""

    name: str
    member: Member | None
    child: ChildReport | None
    is_built: bool


def _worker_health(
    spec: envspecs.EnvSpec,
    worker: _Worker,
    now_s: float,
    problem: tuple[str, str],
    *,
    ram_budget_bytes: int = 0,
) -> EnvironmentHealth:
    """Return the truth about a worker; `problem` is the sentence and remedy of one that answers."""
    member, child = worker.member, worker.child
    common: dict[str, Any] = {
        "environment": spec.name,
        "worker": worker.name,
        "built": worker.is_built,
        "optional": spec.optional,
        "stages": tuple(spec.stages),
        "restarts": child.restarts if child is not None else 0,
    }
    if member is None:
        state, sentence, remedy = _state_without_worker(spec, child, is_built=worker.is_built)
        return EnvironmentHealth(**common, state=state, usable=False, problem=sentence, remedy=remedy)
    echo_ms = round((now_s - member.echoed_s) * 1000)
    silent = echo_ms > SILENT_AFTER_S * 1000
    sentence, remedy = (f"It has not answered for {echo_ms / 1000:.0f} s.", "") if silent else problem
    return EnvironmentHealth(
        **common,
        state="silent" if silent else member.state,
        usable=not silent and member.state in ("ready", "busy"),
        pid=member.pid,
        uptime_ms=since_iso_ms(member.started_at),
        rss_bytes=member.rss_bytes,
        ram_budget_bytes=ram_budget_bytes,
        echo_ms=echo_ms,
        calls_done=member.calls_done,
        models=member.models,
        busy_with=member.call,
        cores=member.cores if member.call is not None else 0,
        problem=sentence,
        remedy=remedy,
    )


def _ram_budget(spec: envspecs.EnvSpec, workers: int) -> int:
    place = Place(name=spec.name, workers=max(1, workers))
    return part_of(memory_of(spec), place).ram_mb * 1_000_000


def _behind(name: str, child: ChildReport | None) -> tuple[str, str]:
    """Return sentence and remedy where the worker runs in a build that is no longer the current one."""
    current = envspecs.current_build(name)
    if current is None or child is None or child.build in ("", current.name) or child.state == "replacing":
        return "", ""
    return f"Its worker runs in an earlier build, {child.build}.", f"cpw envs reload {name}"


def _state_without_worker(
    spec: envspecs.EnvSpec, child: ChildReport | None, *, is_built: bool
) -> tuple[str, str, str]:
    """Return state, sentence and remedy."""
    if not is_built:
        return "not built", f"The environment {spec.name} is not built.", f"cpw envs build {spec.name}"
    if child is None or child.state == "not built":
        # Built after the supervisor started, by a program that could not tell it.
        sentence = f"{spec.name} was built after the start, and has no worker yet."
        return "stopped", sentence, f"cpw envs reload {spec.name}"
    if child.state in ("running", "replacing"):
        return "starting", "", ""
    return child.state, child.problem, child.remedy
