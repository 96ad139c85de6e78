"""Replaces the workers of one environment while all others go on.

The supervisor writes into `supervisor.json` which children it is replacing. The coordinator drains such a
worker, so that its running call ends as usual; when the worker has gone, the supervisor starts the new one.
Of several, the next one is drained when the new one is ready. If one of the two dies meanwhile, its next
process reads in the file what is under way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import envspecs
from coordinator.running.roster import Member, Roster
from protocol.errors import MissingError, NotRunningError, UsageError
from protocol.failpoints import reach
from protocol.job_changes import ReloadEnvironment, Reloading
from protocol.messages import Drain
from protocol.supervisor import (
    NO_WORKERS,
    ChildReport,
    Command,
    Kill,
    Proved,
    Reload,
    children_of,
    read_children,
    supervisor_file,
)

__all__ = ["Replacing", "may_go"]


class Replacing:
    """Passes what people ask on to the supervisor and the workers; used by the loop's thread alone."""

    def __init__(
        self,
        runtime: Path,
        roster: Roster,
        command: Callable[[Command, str], None],
        tell: Callable[[bytes, Drain], None],
    ) -> None:
        self._runtime = runtime
        self._roster = roster
        self._command = command
        self._tell = tell
        self._seen: tuple[tuple[int, int], frozenset[tuple[str, float, bool, bool]]] | None = None

    def ask(self, request: ReloadEnvironment) -> Reloading:
        """Have the environment's workers replaced, started, or, if it has no spec any more, stopped.

        Raises `UsageError` where there is no such environment, `MissingError` where it is not built.
        """
        name = request.environment
        children = read_children(self._runtime)
        self._check(name, children)
        here = [member for member in self._roster.here() if member.environment == name]
        if request.now:
            for member in here:
                # Its call is given back, and its film not blamed.
                member.leaving = True
        self._command(Reload(environment=name, now=request.now), "")
        # Of several calls the one that it ends last.
        call = next((identity for member in here for identity in member.calls()), None)
        return Reloading(
            environment=name,
            pid=here[0].pid if here else None,
            pids=tuple(member.pid for member in here),
            job=call.job if call else "",
            step=call.step if call else "",
        )

    def _check(self, name: str, children: dict[str, ChildReport]) -> None:
        if not children:
            message = "There is no supervisor that could start a worker."
            raise NotRunningError(message, "make up")
        if name not in envspecs.spec_names():
            if name not in children or name in NO_WORKERS:
                message = f"There is no environment {name!r}; there are {', '.join(envspecs.spec_names())}."
                raise UsageError(message, "cpw envs list")
            return
        spec = envspecs.read(name)
        if not spec.worker or not spec.usable_here():
            message = f"The environment {name} has no worker on this machine."
            raise UsageError(message, "cpw envs list")
        if not envspecs.is_built(spec):
            state = "out of date" if envspecs.build_state(spec) == "outdated" else "not built"
            message = f"The environment {name} is {state}; its worker is left as it is."
            raise MissingError(message, f"cpw envs build {name}")

    def look(self) -> None:
        """Drain the workers that the supervisor is to replace and that have not been told."""
        met = frozenset(
            (member.name, member.met_s, _serves(member), member.leaving) for member in self._roster.here()
        )
        seen = (_changed(supervisor_file(self._runtime)), met)
        if seen == self._seen:
            return
        self._seen = seen
        children = read_children(self._runtime)
        for member in self._roster.here():
            child = children.get(member.child)
            if child is None or child.state != "replacing" or member.leaving:
                continue
            # The worker that comes in its place has the same name in the file, but another process group.
            if child.pid == _group_of(member.pid) and may_go(member, children, self._roster.here()):
                self._retire(member)

    def _retire(self, member: Member) -> None:
        member.leaving = True
        if _starts(member):
            # It would hear of it only when all is loaded, and has nothing to lose.
            reason = "its environment is given another build"
            self._command(Kill(child=member.child, pid=member.pid, reason=reason), "")
        else:
            self._tell(member.name.encode(), Drain())
        reach("coordinator.reload.told")

    def prove(self, member: Member) -> None:
        """Have it written down that a call was done in the member's build: it is one to go back to."""
        if not member.proved:
            member.proved = True
            self._command(Proved(child=member.child, pid=member.pid), member.node)


def may_go(member: Member, children: Mapping[str, ChildReport], members: Iterable[Member]) -> bool:
    """Return whether a worker that is to be replaced is drained now: one after the other. Pure.

    All others of its environment serve, in the new build or the old. So an environment of several workers
    goes on serving, and a build that is broken costs one of them. One that only starts has nothing to end.
    """
    if _starts(member):
        return True
    others = {other.child: other for other in members}
    names = children_of(member.environment, children).keys() - {member.child}
    return all(name in others and _serves(others[name]) for name in names)


def _serves(member: Member) -> bool:
    return member.state in ("ready", "busy") and not member.leaving


def _starts(member: Member) -> bool:
    return member.call is None and member.state in ("importing", "loading")


def _changed(path: Path) -> tuple[int, int]:
    """Return what differs after each writing of the file, which is written aside and renamed."""
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_ino, found.st_mtime_ns


def _group_of(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError, OverflowError):
        return os.getpgid(pid)
    return -1
