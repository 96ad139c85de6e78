"""Replaces the worker of one environment while all others go on.

The supervisor writes down which of its children is being replaced; its worker is drained here, so that its
running call ends as any other, and the supervisor starts the new one as soon as it has gone. Whoever dies in
between finds in that file what is under way.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import envspecs
from coordinator.health import read_supervisor_state
from coordinator.running.roster import Member, Roster
from protocol.errors import MissingError, NotRunningError, UsageError
from protocol.failpoints import reach
from protocol.job_changes import ReloadEnvironment, Reloading
from protocol.messages import Drain

__all__ = ["Replacing"]


class Replacing:
    """Between people's orders, the supervisor and the workers; used by the loop's thread alone."""

    def __init__(
        self,
        runtime: Path,
        roster: Roster,
        order: Callable[[dict[str, Any]], None],
        tell: Callable[[bytes, Drain], None],
    ) -> None:
        self._runtime = runtime
        self._roster = roster
        self._order = order
        self._tell = tell

    def ask(self, wish: ReloadEnvironment) -> Reloading:
        """Have the environment's worker replaced, started, or stopped where it has no spec any more.

        Raises `UsageError` where there is no such environment, `MissingError` where it is not built.
        """
        name = wish.environment
        children = read_supervisor_state(self._runtime)
        self._check(name, children)
        here = [member for member in self._roster.members.values() if member.environment == name]
        if wish.now:
            for member in here:
                # Its call is given back, and its film not blamed.
                member.leaving = True
        self._order({"reload": name, "now": wish.now})
        call = next((member.call for member in here if member.call is not None), None)
        return Reloading(
            environment=name,
            pid=here[0].pid if here else None,
            job=call.job if call else "",
            step=call.step if call else "",
        )

    def _check(self, name: str, children: dict[str, Any]) -> None:
        if not children:
            message = "There is no supervisor that could start a worker."
            raise NotRunningError(message, "make up")
        if name not in envspecs.spec_names():
            if name not in children or name == "coordinator":
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
        children = read_supervisor_state(self._runtime)
        for member in self._roster.members.values():
            child = children.get(member.environment, {})
            # The process group, as the worker that comes in its place has the same name in the file.
            due = child.get("state") == "replacing" and child.get("pid") == _group_of(member.pid)
            if due and not member.leaving:
                self._retire(member)

    def _retire(self, member: Member) -> None:
        member.leaving = True
        if member.call is None and member.state in ("importing", "loading"):
            # It would hear of it only when all is loaded, and has nothing to lose.
            reason = "its environment is given another build"
            self._order({"kill": member.environment, "pid": member.pid, "reason": reason})
        else:
            self._tell(member.name.encode(), Drain())
        reach("coordinator.reload.told")

    def prove(self, member: Member) -> None:
        """Have it written down that a call was done in the member's build: it is one to go back to."""
        if not member.proved:
            member.proved = True
            self._order({"proved": member.environment, "pid": member.pid})


def _group_of(pid: int) -> int:
    with contextlib.suppress(ProcessLookupError, OverflowError):
        return os.getpgid(pid)
    return -1
