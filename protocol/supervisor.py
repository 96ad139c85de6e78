"""What the supervisor tells of itself, and the commands that it takes.

`supervisor.json` in the runtime directory is a `SupervisorReport`. The supervisor writes it whole at every
change; the coordinator and clients read it. The control pipe carries one `Command` a line, as JSON, from the
coordinator to the supervisor.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

from protocol.artefacts import read_json_as, write_json
from protocol.errors import SchemaError
from protocol.schema import from_plain, to_plain

__all__ = [
    "COORDINATOR",
    "FINAL_STATES",
    "ChildExit",
    "ChildReport",
    "ChildState",
    "Command",
    "Forgive",
    "Kill",
    "Proved",
    "Reload",
    "SupervisorReport",
    "is_unbuilt",
    "parse_command",
    "read_children",
    "read_supervisor",
    "render_command",
    "supervisor_file",
    "write_supervisor",
]

COORDINATOR = "coordinator"
"""Name of the child that is not an environment's worker."""

ChildState = Literal[
    "starting",
    "running",
    "restarting",
    "replacing",
    "crash-loop",
    "outdated",
    "unusable",
    "not built",
    "stopped",
]
FINAL_STATES: frozenset[str] = frozenset({"crash-loop", "outdated", "unusable", "not built", "stopped"})
"""A child in one of these states does not come back until a person does something."""


@dataclass(frozen=True, kw_only=True)
class ChildExit:
    """How a child ended: with an exit code, or by a signal."""

    code: int | None = None
    signal: int | None = None
    at: str = ""
    """An instant, as `protocol.clock.now_iso` writes it; empty: unknown."""
    stack: str | None = None
    """Path of the stack that it left."""


@dataclass(frozen=True, kw_only=True)
class ChildReport:
    """A process that the supervisor keeps alive: the coordinator or an environment's worker."""

    state: ChildState
    pid: int | None = None
    """The process group."""
    started_at: str | None = None
    restarts: int = 0
    last_exit: ChildExit | None = None
    build: str = ""
    """Name of the folder of the build that it runs in."""
    problem: str = ""
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class SupervisorReport:
    """The document `supervisor.json`."""

    pid: int
    started: float
    """When the process started, in seconds since 1970: a later process may have the same `pid`."""
    run: str = ""
    state: Literal["running", "stopping"] = "running"
    children: dict[str, ChildReport] = field(default_factory=dict)


def is_unbuilt(child: ChildReport | None) -> bool:
    """Return whether the child never ran because its environment was not built; None: no such child."""
    return child is None or child.state == "not built"


def supervisor_file(runtime: Path) -> Path:
    """Return the path of `supervisor.json`; it is removed when the supervisor ends by itself."""
    return runtime / "supervisor.json"


def write_supervisor(runtime: Path, report: SupervisorReport) -> None:
    """Write `supervisor.json` whole."""
    write_json(supervisor_file(runtime), to_plain(report))


def read_supervisor(runtime: Path) -> SupervisorReport | None:
    """Return what the last supervisor wrote, dead or alive; None where there is nothing to read."""
    try:
        return read_json_as(SupervisorReport, supervisor_file(runtime))
    except (OSError, ValueError, SchemaError):
        return None


def read_children(runtime: Path) -> dict[str, ChildReport]:
    """Return what the last supervisor wrote of its children, by name; empty where there is nothing."""
    report = read_supervisor(runtime)
    return report.children if report is not None else {}


@dataclass(frozen=True, kw_only=True)
class Kill:
    """Kill the environment's worker, with all that it started, if it is still the process `pid`."""

    environment: str
    pid: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Forgive:
    """Do not count the newest exit of the environment's worker: a film caused it."""

    environment: str


@dataclass(frozen=True, kw_only=True)
class Reload:
    """Replace the environment's worker by one of its current build; `now`: kill the old one."""

    environment: str
    now: bool = False


@dataclass(frozen=True, kw_only=True)
class Proved:
    """The environment's worker `pid` has done a call: its build is one to go back to."""

    environment: str
    pid: int


Command: TypeAlias = Kill | Forgive | Reload | Proved
_VERBS: dict[str, type[Command]] = {"kill": Kill, "forgive": Forgive, "reload": Reload, "proved": Proved}


def render_command(command: Command) -> bytes:
    """Return the command as a line: `{"kill": "whisperx", "pid": 4711, "reason": "no echo"}`."""
    verb = next(verb for verb, kind in _VERBS.items() if type(command) is kind)
    plain = to_plain(command)
    return (json.dumps({verb: plain.pop("environment"), **plain}) + "\n").encode()


def parse_command(line: bytes) -> Command:
    """Return the command that the line is; `SchemaError` where it is none."""
    try:
        plain = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SchemaError("command", f"{line[:80]!r} is not JSON") from error
    verbs = [verb for verb in _VERBS if isinstance(plain, dict) and verb in plain]
    if len(verbs) != 1:
        raise SchemaError("command", f"{line[:80]!r} has not one verb of {', '.join(_VERBS)}")
    verb = verbs[0]
    return from_plain(_VERBS[verb], {**plain, "environment": plain[verb]}, path=verb)
