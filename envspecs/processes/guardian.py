"""Runs one command for the supervisor, writes down what it prints, and ends it when the supervisor dies.

    supervisor ──lifeline (a pipe whose write end only the supervisor holds)──> guardian ──> command

Guardian and command share one process group of their own. When the lifeline ends, because the supervisor
closed it or was killed, the guardian kills the group, itself included: in milliseconds and whatever the
command is doing, native code that holds the GIL too. A command that puts processes into groups of their own,
as Ray does, is ended with its whole session. Should the guardian be killed, the kernel kills the command
(PR_SET_PDEATHSIG, Linux). The command's output passes through here, so it outlives the command.
"""

from __future__ import annotations

import argparse
import ctypes
import logging
import logging.handlers
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO

from protocol.clock import now_iso
from protocol.failpoints import reach
from protocol.marks import Mark, parse_mark

__all__ = ["LineLog", "mask"]

_READ_BYTES = 65_536
_MAX_LINE = 4_000
_MAX_STEP_LOG_BYTES = 8 * 1024 * 1024
_LOG_BYTES = 16 * 1024 * 1024
_PR_SET_PDEATHSIG = 1
_LAST_OUTPUT_S = 0.1
"""After the command has ended, its last output is waited for so long."""

# What moves the cursor of whoever reads the log, or starts a line of its own for `splitlines`.
_CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_SECRETS = (
    re.compile(r"()\bhf_[A-Za-z0-9]{8,}"),
    re.compile(r"(?i)(token=|bearer\s+)[^\s&'\"]{6,}"),
)


def mask(line: str) -> str:
    """Return `line` with access tokens replaced by `***`."""
    for pattern in _SECRETS:
        line = pattern.sub(r"\1***", line)
    return line


class LineLog:
    """Puts lines into the environment's log and, between marks, into the log of the job's step."""

    def __init__(self, path: Path, name: str, nonce: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._log = logging.handlers.RotatingFileHandler(
            path, maxBytes=_LOG_BYTES, backupCount=2, encoding="utf-8"
        )
        self._log.setFormatter(logging.Formatter("%(message)s"))
        self._name = name
        self._nonce = nonce
        self._mark = Mark()
        self._step_log: IO[str] | None = None
        self._step_log_left = 0
        self._rest = b""

    def feed(self, data: bytes) -> None:
        """Take bytes as they come; complete lines are written."""
        self._rest += data
        *lines, self._rest = self._rest.split(b"\n")
        for raw in lines:
            self._line(raw)
        if len(self._rest) > _MAX_LINE:
            self._line(self._rest)
            self._rest = b""

    def close(self) -> None:
        """Write what is left."""
        if self._rest:
            self._line(self._rest)
        self._close_step_log()
        self._log.close()

    def _line(self, raw: bytes) -> None:
        # A progress bar redraws its line with carriage returns; its last state is enough.
        text = raw.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
        mark = parse_mark(text, self._nonce)
        if mark is not None:
            self._turn_to(mark)
            return
        if not text.strip():
            return
        shown = mask(_CONTROLS.sub(" ", text[:_MAX_LINE]))
        about = f"{self._mark.job}/{self._mark.step}#{self._mark.attempt}" if self._mark.job else "-"
        line = f"{now_iso()} {self._name} {about} | {shown}"
        self._log.handle(logging.LogRecord("", logging.INFO, "", 0, line, None, None))
        self._to_step_log(line)

    def _turn_to(self, mark: Mark) -> None:
        self._close_step_log()
        self._mark = mark
        if not mark.log:
            return
        try:
            Path(mark.log).parent.mkdir(parents=True, exist_ok=True)
            self._step_log = Path(mark.log).open("a", encoding="utf-8")  # noqa: SIM115 (kept open)
        except OSError:
            return  # the job folder is gone or its disk is full; the environment's log has the lines
        self._step_log_left = _MAX_STEP_LOG_BYTES

    def _to_step_log(self, line: str) -> None:
        if self._step_log is None:
            return
        self._step_log_left -= len(line)
        if self._step_log_left < 0:
            line = "... this step prints too much; the rest is in the environment's log only"
        try:
            self._step_log.write(line + "\n")
            self._step_log.flush()
        except OSError:
            self._step_log = None
            return
        if self._step_log_left < 0:
            self._close_step_log()

    def _close_step_log(self) -> None:
        if self._step_log is not None:
            self._step_log.close()
        self._step_log = None


def _die_with_parent() -> None:
    """In the child, before exec: be killed when the guardian is."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _guard(command: list[str], lifeline: int, log: LineLog, end_all: Callable[[], None]) -> int:
    """Run `command` until it ends or the lifeline does; return its exit code as `Popen` would.

    `end_all` kills what belongs to the command, this process included."""
    # The group's SIGTERM is meant for the command; the guardian stays to see it end.
    signal.signal(signal.SIGTERM, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child_ended = _wake_at_child_end()
    child = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pass_fds=_inherited(),
        preexec_fn=_die_with_parent,  # noqa: PLW1509 (this process has one thread)
    )
    reach("guardian.command.started")
    assert child.stdout is not None
    output = child.stdout.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(lifeline, selectors.EVENT_READ)
        selector.register(output, selectors.EVENT_READ)
        selector.register(child_ended, selectors.EVENT_READ)
        ended = False
        while True:
            # A grandchild may hold the output open after the command has ended: look for both ends.
            ready = {key.fd for key, _ in selector.select(_LAST_OUTPUT_S if ended else None)}
            if child_ended in ready:
                os.read(child_ended, _READ_BYTES)
            if lifeline in ready:
                end_all()
            data = os.read(output, _READ_BYTES) if output in ready else b""
            if output in ready and not data:
                selector.unregister(output)
            log.feed(data)
            if ended and not data:
                break
            ended = child.poll() is not None
    return child.returncode


def _end_group() -> None:
    os.killpg(0, signal.SIGKILL)


def _session_ender() -> Callable[[], None]:
    # Only here, and before it is needed: a guardian is small, and ends its command in milliseconds.
    from envspecs.processes.leftovers import end_session

    def end() -> None:
        end_session(os.getsid(0), spared=os.getpid())
        _end_group()

    return end


def _wake_at_child_end() -> int:
    """Return a descriptor that can be read when a child has ended: nobody has to look again and again."""
    read, write = os.pipe()
    for end in (read, write):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    return read


def _inherited() -> tuple[int, ...]:
    """Return the descriptor that the supervisor passes through to the command, if any."""
    number = os.environ.get("CPW_CONTROL_FD")
    return (int(number),) if number else ()


def main(arguments: list[str]) -> int:
    """`guardian --name N --log FILE --lifeline FD [--nonce X] [--session] -- COMMAND...`."""
    parser = argparse.ArgumentParser(prog="guardian")
    parser.add_argument("--name", required=True)
    parser.add_argument("--log", required=True, type=Path)
    parser.add_argument("--lifeline", required=True, type=int)
    parser.add_argument("--nonce", default="")
    parser.add_argument("--session", action="store_true")
    parser.add_argument("command", nargs="+")
    given = parser.parse_args(arguments)
    reach("guardian.command.before-start")
    log = LineLog(given.log, given.name, given.nonce)
    code = _guard(given.command, given.lifeline, log, _session_ender() if given.session else _end_group)
    reach("guardian.command.ended")
    log.close()
    reach("guardian.log.closed")
    if code < 0:
        # Die of the same signal, so that the supervisor sees what the command died of. No core of ours.
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(-code, signal.SIG_DFL) if -code != signal.SIGKILL else None
        os.kill(os.getpid(), -code)
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
