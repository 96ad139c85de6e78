"""How everything is: what the workers say, what the supervisor wrote, what is built."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import envspecs
from coordinator.running.roster import SILENT_AFTER_S, Member, Roster
from envspecs.budgets import memory_of
from protocol.clock import since_iso_ms
from protocol.errors import NotRunningError
from protocol.messages import EnvironmentHealth

__all__ = ["check_worker", "environments_health", "last_exit", "read_supervisor_state", "why_not_usable"]

_FINAL = ("crash-loop", "outdated", "unusable", "stopped")


def read_supervisor_state(runtime: Path) -> dict[str, Any]:
    """Return the children that the supervisor wrote down; empty where there is no supervisor's file."""
    try:
        state = json.loads((runtime / "supervisor.json").read_text(encoding="utf-8"))
    except (OSError, json.JSONDecodeError):
        return {}
    children = state.get("children")
    return children if isinstance(children, dict) else {}


def last_exit(runtime: Path, environment: str) -> dict[str, Any]:
    """Return how the environment's last worker went, as the supervisor saw it; empty where unknown."""
    found = read_supervisor_state(runtime).get(environment, {}).get("last_exit")
    return found if isinstance(found, dict) else {}


def check_worker(environment: str, runtime: Path, roster: Roster) -> None:
    """Raise `NotRunningError` where no worker of the environment is up or can be expected to come."""
    if environment in roster.environments():
        return
    children = read_supervisor_state(runtime)
    child = children.get(environment)
    if children and (child is None or child["state"] == "not built"):
        # The supervisor looks at an environment when it starts it; the caller has found it built.
        message = f"{environment} was built after the start, and has no worker yet."
        raise NotRunningError(message, f"cpw envs reload {environment}")
    if child is not None and child["state"] in _FINAL:
        raise NotRunningError(
            child["problem"] or f"The worker {environment} is not running.", child["remedy"]
        )


def why_not_usable(runtime: Path, roster: Roster, served_by: Iterable[str] = ()) -> dict[str, str]:
    """Return why work waits for an environment that has no worker: `crash-loop: cpw logs whisperx`.

    `served_by` are environments that jobs were planned with: a copy of one may have been removed since.
    """
    present = roster.environments()
    removed = set(served_by) - present - set(envspecs.spec_names())
    gone = {name: f"removed: cpw envs copy ENV {name}, or cpw cancel JOB" for name in removed}
    return gone | {
        name: f"{child.get('state')}: cpw logs {name}"
        for name, child in read_supervisor_state(runtime).items()
        if name not in present and child.get("state") in (*_FINAL, "restarting", "not built")
    }


def environments_health(
    specs: Iterable[envspecs.EnvSpec], runtime: Path, roster: Roster, now_s: float
) -> tuple[EnvironmentHealth, ...]:
    """Return the truth about each environment that has workers."""
    children = read_supervisor_state(runtime)
    unknown = {} if children else {"state": "stopped"}
    members = {member.environment: member for member in roster.members.values()}
    return tuple(
        _environment_health(spec, members.get(spec.name), children.get(spec.name, unknown), now_s)
        for spec in specs
        if spec.worker and spec.usable_here()
    )


def _environment_health(
    spec: envspecs.EnvSpec, member: Member | None, child: dict[str, Any], now_s: float
) -> EnvironmentHealth:
    built = envspecs.is_built(spec)
    common: dict[str, Any] = {
        "environment": spec.name,
        "built": built,
        "optional": spec.optional,
        "stages": tuple(spec.stages),
        "restarts": int(child.get("restarts", 0)),
    }
    if member is None:
        state, problem, remedy = _state_without_worker(spec, child)
        return EnvironmentHealth(**common, state=state, usable=False, problem=problem, remedy=remedy)
    echo_ms = round((now_s - member.echoed_s) * 1000)
    silent = echo_ms > SILENT_AFTER_S * 1000
    problem, remedy = _behind(spec.name, child)
    if silent:
        problem, remedy = f"It has not answered for {echo_ms / 1000:.0f} s.", ""
    return EnvironmentHealth(
        **common,
        state="silent" if silent else member.state,
        usable=not silent and member.state in ("ready", "busy"),
        pid=member.pid,
        uptime_ms=since_iso_ms(member.started_at),
        rss_bytes=member.rss_bytes,
        ram_budget_bytes=memory_of(spec).ram_mb * 1_000_000,
        echo_ms=echo_ms,
        calls_done=member.calls_done,
        models=member.models,
        busy_with=member.call,
        problem=problem,
        remedy=remedy,
    )


def _behind(name: str, child: dict[str, Any]) -> tuple[str, str]:
    """Return sentence and remedy where the worker runs in a build that is not the current one any more."""
    current = envspecs.current_build(name)
    build = str(child.get("build", ""))
    if current is None or build in ("", current.name) or child.get("state") == "replacing":
        return "", ""
    return f"Its worker runs in an earlier build, {build}.", f"cpw envs reload {name}"


def _state_without_worker(spec: envspecs.EnvSpec, child: dict[str, Any]) -> tuple[str, str, str]:
    if not envspecs.is_built(spec):
        return "not built", f"The environment {spec.name} is not built.", f"cpw envs build {spec.name}"
    state = str(child.get("state", "stopped"))
    if state in ("running", "replacing"):
        return "starting", "", ""
    if state == "not built" or not child:
        # Built after the supervisor had started, by who could not tell it.
        sentence = f"{spec.name} was built after the start, and has no worker yet."
        return "stopped", sentence, f"cpw envs reload {spec.name}"
    return state, str(child.get("problem", "")), str(child.get("remedy", ""))
