"""What the supervisor tells of itself, and the commands that it takes.

`supervisor.json` in the runtime directory is a `SupervisorReport`. The supervisor writes it whole at every
change; the coordinator and clients read it. The control pipe carries one `Command` a line, as JSON, from the
coordinator to the supervisor. On the node of a cluster, which has no coordinator, the FIFO `control` in the
runtime directory carries the same lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Literal, TypeAlias, TypeVar

from protocol.artefacts import read_json_as, write_json
from protocol.errors import SchemaError
from protocol.schema import from_plain, to_plain

__all__ = [
    "BEAT_EVERY_S",
    "BEAT_MISSING_S",
    "BRIDGE",
    "COORDINATOR",
    "FINAL_STATES",
    "HTTP",
    "NO_WORKERS",
    "RAY",
    "SETUP",
    "Beat",
    "ChildExit",
    "ChildReport",
    "ChildState",
    "Command",
    "Forgive",
    "Kill",
    "Proved",
    "Reload",
    "SupervisorReport",
    "child_name",
    "child_of",
    "children_of",
    "control_file",
    "environment_of",
    "is_unbuilt",
    "parse_command",
    "read_children",
    "read_supervisor",
    "render_command",
    "supervisor_file",
    "write_supervisor",
]

COORDINATOR = "coordinator"
"""Name of the child that coordinates."""
HTTP = "http"
"""Name of the child that serves programs and browsers."""
SETUP = "setup"
"""Name of the child that fetches the models for this machine, and then ends."""
RAY = "ray"
"""Name of the child that is this machine's part of Ray, on the head and the nodes of a cluster."""
BRIDGE = "cluster"
"""Name of the child that stands between Ray and the coordinator, on the head of a cluster."""
NO_WORKERS = frozenset({COORDINATOR, HTTP, SETUP, RAY, BRIDGE})
"""Children that are no environment's workers."""
_T = TypeVar("_T")

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
    stack_text: str = ""
    """The end of that stack, where the file lies on another machine."""


@dataclass(frozen=True, kw_only=True)
class ChildReport:
    """A process that the supervisor keeps alive: the coordinator or a worker."""

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
    code: str = ""
    """A digest of the checkout's code at its start (`envspecs.code`); empty: unknown."""
    service: bool = False
    """A service manager started it."""


def child_name(environment: str, number: int) -> str:
    """Return what the supervisor calls the environment's worker `number`: `whisperx`, then `whisperx.2`."""
    return environment if number == 1 else f"{environment}.{number}"


def environment_of(child: str) -> str:
    """Return the environment of the worker that the supervisor calls so; no environment has a dot."""
    return child.partition(".")[0]


def child_of(worker: str, environment: str) -> str:
    """Return what the supervisor calls the worker of this id: `whisperx.2` for `whisperx.2.4711.1a2b3c`.

    A worker with an id of another form is taken for the first of its `environment`.
    """
    name = worker.rsplit(".", 2)[0]
    return name if environment_of(name) == environment else environment


def children_of(environment: str, children: Mapping[str, _T]) -> dict[str, _T]:
    """Return those of the `children` that are workers of the environment, the first one first."""
    names = [name for name in children if environment_of(name) == environment]
    return {name: children[name] for name in sorted(names, key=_number_of)}


def _number_of(child: str) -> int:
    number = child.partition(".")[2]
    return int(number) if number.isdecimal() else 1


def is_unbuilt(child: ChildReport | None) -> bool:
    """Return whether the child never ran because its environment was not built; None: no such child."""
    return child is None or child.state == "not built"


def supervisor_file(runtime: Path) -> Path:
    """Return the path of `supervisor.json`; it is removed when the supervisor ends by itself."""
    return runtime / "supervisor.json"


def control_file(runtime: Path) -> Path:
    """Return the path of the FIFO into which commands are written on the node of a cluster."""
    return runtime / "control"


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
    """Kill a worker, with all that it started, if it is still the process `pid`."""

    child: str
    pid: int
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Forgive:
    """Do not count the newest exit of a worker: a film caused it."""

    child: str


@dataclass(frozen=True, kw_only=True)
class Reload:
    """Replace the environment's workers by those of its current build; `now`: kill the old ones."""

    environment: str
    now: bool = False


@dataclass(frozen=True, kw_only=True)
class Proved:
    """The worker `pid` has done a call: its build is one to go back to."""

    child: str
    pid: int


@dataclass(frozen=True, kw_only=True)
class Beat:
    """The coordinator's loop still turns."""

    run: str
    """Its start."""


BEAT_EVERY_S = 5.0
BEAT_MISSING_S = 60.0
"""A coordinator without a beat for so long is killed and started again; a slow disk holds it up for less."""

Command: TypeAlias = Kill | Forgive | Reload | Proved | Beat
_VERBS: dict[str, type[Command]] = {
    "kill": Kill,
    "forgive": Forgive,
    "reload": Reload,
    "proved": Proved,
    "beat": Beat,
}


def render_command(command: Command) -> bytes:
    """Return the command as a line: `{"kill": "whisperx", "pid": 4711, "reason": "no echo"}`."""
    verb = next(verb for verb, kind in _VERBS.items() if type(command) is kind)
    plain = to_plain(command)
    return (json.dumps({verb: plain.pop(_meant(type(command))), **plain}) + "\n").encode()


def _meant(kind: type[Command]) -> str:
    """Return the field that says whom the command means: its first."""
    return fields(kind)[0].name


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
    kind = _VERBS[verb]
    return from_plain(kind, {**plain, _meant(kind): plain[verb]}, path=verb)
