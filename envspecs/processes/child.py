"""A process that the supervisor keeps alive: a guardian with its command, or the place where one will be."""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from envspecs.builds.history import hold, prove
from envspecs.processes.leftovers import end_session
from envspecs.processes.restart import Exit
from protocol.clock import now_iso
from protocol.schema import to_plain
from protocol.supervisor import ChildExit, ChildReport, ChildState

__all__ = ["Child"]

log = logging.getLogger("supervisor")


@dataclass
class Child:
    """A guardian with its command, or the place where one will be."""

    name: str
    command: list[str]
    environment: dict[str, str]
    log: Path
    stacks: Path | None = None
    session: bool = False
    """Its processes stand in groups of their own: they are ended with its session."""
    state: ChildState = "starting"
    problem: str = ""
    remedy: str = ""
    process: subprocess.Popen[bytes] | None = None
    lifeline: int = -1
    started_s: float = 0.0
    started_at: str = ""
    restart_at_s: float = 0.0
    restarts: int = 0
    exits: list[Exit] = field(default_factory=list)
    last_exit: ChildExit | None = None
    build: Path | None = None
    """The build that it runs in; it is not removed for as long as this child is the supervisor's."""
    replacing: bool = False
    """It ends its work, and what its spec says by then takes its place."""
    _held: int | None = None

    def __post_init__(self) -> None:
        if self.build is not None:
            self._held = hold(self.build)

    def release(self) -> None:
        """Let go of the build: nothing of this child runs any more."""
        if self._held is not None:
            os.close(self._held)
            self._held = None

    def start(self, control: int | None = None) -> None:
        """Start the guardian in a process group of its own."""
        nonce = secrets.token_hex(8)
        command = list(self.command)
        if self.stacks is not None:
            command += ["--nonce", nonce, "--stack", str(self.stacks)]
        read_end, self.lifeline = os.pipe()
        passed = [read_end] if control is None else [read_end, control]
        guardian = [sys.executable, "-I", "-m", "envspecs.processes.guardian", "--name", self.name]
        guardian += ["--log", str(self.log), "--nonce", nonce, "--lifeline", str(read_end)]
        guardian += ["--session", "--"] if self.session else ["--"]
        self.process = subprocess.Popen(
            guardian + command,
            stdin=subprocess.DEVNULL,
            env=self.environment,
            pass_fds=passed,
            start_new_session=True,
        )
        os.close(read_end)
        self.state = "running"
        self.started_s = time.monotonic()
        self.started_at = now_iso()
        log.info("started %s (group %d)", self.name, self.process.pid)

    def signal_group(self, number: int) -> None:
        """Signal the guardian, its command and all that came of it."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def reap(self) -> bool:
        """Return whether the process has gone; end what it left in its group and record the exit."""
        if self.process is None:
            return False
        gone = os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if gone is None:
            return False
        # Not reaped yet, so the group's number is still ours: nobody else can be hit.
        self.signal_group(signal.SIGKILL)
        if self.session:
            end_session(self.process.pid)
        code = self.process.wait()
        os.close(self.lifeline)
        self.process = None
        now = time.monotonic()
        self.exits = [*self.exits[-9:], Exit(code, now, now - self.started_s)]
        stack = self.stacks if self.stacks and self.stacks.exists() and self.stacks.stat().st_size else None
        self.last_exit = ChildExit(
            code=code if code >= 0 else None,
            signal=-code if code < 0 else None,
            at=now_iso(),
            stack=str(self._keep_stack(stack)) if stack else None,
        )
        log.warning("%s has ended: %s", self.name, to_plain(self.last_exit))
        return True

    def _keep_stack(self, stack: Path) -> Path:
        # The next worker opens its file anew; the coordinator reads this one for the job's error.
        kept = stack.with_suffix(".last.txt")
        return stack.replace(kept)

    def prove(self) -> None:
        """Write down that a call was done in its build: it is one to go back to."""
        if self.build is not None:
            try:
                prove(self.build)
            except OSError:  # a full disk; the next worker's first call says it again
                log.exception("%s cannot be written to", self.build)

    def report(self) -> ChildReport:
        """Return what `supervisor.json` says of it."""
        return ChildReport(
            state="replacing" if self.replacing else self.state,
            pid=self.process.pid if self.process else None,
            started_at=self.started_at,
            restarts=self.restarts,
            last_exit=self.last_exit,
            build=self.build.name if self.build else "",
            problem=self.problem,
            remedy=self.remedy,
        )
