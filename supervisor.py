"""Starts the coordinator and the workers of each environment, keeps them alive, leaves no orphan.

The only code that starts or kills them. `python supervisor.py run` stays in the foreground; `cpw up` starts
it in the background. What it knows is in `<runtime>/supervisor.json` (`protocol.supervisor`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import math
import os
import secrets
import selectors
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import envspecs
from envspecs.budgets import core_budget
from envspecs.cluster.ray import clear_ray_directory
from envspecs.code import code_digest
from envspecs.hardware import usable_cores
from envspecs.http.settings import http_settings
from envspecs.keeping import prune_after_ms
from envspecs.processes.carriers import Carriers
from envspecs.processes.child import Child
from envspecs.processes.control import Control
from envspecs.processes.leftovers import myself, sweep
from envspecs.processes.making import WorkerMaker, house_children
from envspecs.processes.manager import READY, STOPPING, WATCHDOG, has_manager, tell_manager
from envspecs.processes.own_log import begin_log
from envspecs.processes.privacy import narrow, own_folders, umask_of
from envspecs.processes.restart import after_setup, decide_restart
from envspecs.processes.sole import RuntimeLock, hold_state
from envspecs.processes.variables import COOKIE, passed_on
from protocol.endpoints import runtime_directory
from protocol.errors import CpwError, ExitCode
from protocol.failpoints import reach
from protocol.supervisor import (
    BEAT_EVERY_S,
    BEAT_MISSING_S,
    COORDINATOR,
    HTTP,
    NO_WORKERS,
    RAY,
    SETUP,
    Beat,
    Command,
    Forgive,
    Kill,
    Proved,
    Reload,
    children_of,
    environment_of,
    supervisor_file,
    write_supervisor,
)

log = logging.getLogger("supervisor")

DRAIN_S = 10.0
_BUDGET_SCALE = float(os.environ.get("CPW_BUDGET_SCALE", "1"))
"""A slow machine may give every wait more time, a test less."""
_BEAT_MISSING_S = max(BEAT_MISSING_S * _BUDGET_SCALE, 3 * BEAT_EVERY_S)
"""Beats come as they come, however short a test wants its waits."""
_LOOK_EVERY_S = 2.0
"""So often the supervisor looks whether its runtime directory is still there."""
TERM_S = 2.0
_STOPS = (signal.SIGTERM, signal.SIGINT)


class Supervisor:
    """The table of children and the loop that looks after them."""

    def __init__(self, home: Path, runtime: Path, lock: RuntimeLock) -> None:
        self._home = home
        self._runtime = runtime
        self._lock = lock
        self._run = secrets.token_hex(4)
        self._code = code_digest()
        self._workers = WorkerMaker(
            home=home,
            runtime=runtime,
            cores=core_budget(usable_cores()),
            environment=self._environment(),
        )
        self._beat_s = 0.0
        self._ready = False
        self._stopping = False
        self._carriers = Carriers(home, runtime, self._environment())
        self._control = Control(self._carriers.fifo)
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        self._children = {child.name: child for child in self._make_children()}

    def _make_children(self) -> Iterator[Child]:
        control, on_node = self._control.write, self._carriers.on_node
        yield from house_children(self._home, self._runtime, self._environment(), control, on_node=on_node)
        yield from self._carriers.children()
        for spec in envspecs.read_all():
            yield from (self._workers.make(spec, place) for place in self._workers.places(spec))

    def _environment(self) -> dict[str, str]:
        """Return the environment variables of every child, with the cookie by which a sweep knows ours."""
        return passed_on(os.environ) | {COOKIE: str(self._runtime), "CPW_HOME": str(self._home)}

    def serve(self) -> None:
        """Look after the children until told to stop."""
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in _STOPS:
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGUSR1, self._carriers.look_again)
        # `cpw up --foreground` holds them back until here; no child must start with them held back.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPS)
        for child in self._children.values():
            if child.state == "starting":
                self._start(child)
        reach("supervisor.start.all-started")
        self._write_state()
        while not self._stopping:
            self._wait(min(_LOOK_EVERY_S, self._next_restart_s()))
            self._hear()
            self._keep_runtime()
            self._end_silent_coordinator()
            self._follow_cluster()
            self._look_after()
            if "WATCHDOG_USEC" in os.environ:
                tell_manager(WATCHDOG)
        self._stop()

    def _keep_runtime(self) -> None:
        """Make the runtime directory again where it was removed, as a logout does.

        A new coordinator opens its sockets there, and the workers, which have lost nothing, find it.
        """
        if self._lock.is_held():
            return
        log.warning("the runtime directory %s is gone: it is made again", self._runtime)
        try:
            self._lock.hold_again()
            self._control.open_fifo()
        except (CpwError, OSError):
            log.exception("the runtime directory cannot be made again")
            self._stopping = True
            return
        for name in (COORDINATOR, RAY):
            if name in self._children:
                self._children[name].signal_group(signal.SIGKILL)
        self._write_state()

    def _end_silent_coordinator(self) -> None:
        """Kill a coordinator that is stopped or hangs: the next one goes on where it was."""
        child = self._children.get(COORDINATOR)
        silent_s = time.monotonic() - max(self._beat_s, child.started_s if child is not None else 0.0)
        if child is None or child.process is None or silent_s < _BEAT_MISSING_S:
            return
        log.warning("killing %s: no beat for %.0f s", COORDINATOR, silent_s)
        self._beat_s = time.monotonic()
        child.signal_group(signal.SIGKILL)

    def _wait(self, timeout_s: float) -> None:
        """Wait for a signal (a child's end, a stop) or a command, at most `timeout_s`."""
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_read, selectors.EVENT_READ)
            for descriptor in self._control.descriptors():
                selector.register(descriptor, selectors.EVENT_READ)
            selector.select(timeout=timeout_s)
        with contextlib.suppress(BlockingIOError):
            os.read(self._wake_read, 4096)

    def _start(self, child: Child) -> None:
        reach("supervisor.child.before-start")
        if child.name == RAY:
            clear_ray_directory(self._runtime)
        child.start(self._control.write if child.name == COORDINATOR else None)
        reach("supervisor.child.started")

    def _next_restart_s(self) -> float:
        due = [child.restart_at_s for child in self._children.values() if child.state == "restarting"]
        return max(0.0, min(due) - time.monotonic()) if due else math.inf

    def _look_after(self) -> None:
        changed = False
        for child in list(self._children.values()):
            if child.reap():
                reach("supervisor.child.reaped")
                self._follow_up(child)
                changed = True
            if child.state == "restarting" and time.monotonic() >= child.restart_at_s:
                child.restarts += 1
                reach("supervisor.child.before-restart")
                self._start(child)
                reach("supervisor.child.restarted")
                changed = True
        if changed:
            self._write_state()

    def _follow_up(self, child: Child) -> None:
        if child.replacing:
            self._renew(child.name)
            return
        earlier = envspecs.previous_build(environment_of(child.name)) is not None
        decision = (
            after_setup(child.exits[-1])
            if child.name == SETUP
            else decide_restart(child.name, child.exits, earlier=earlier)
        )
        child.state, child.problem, child.remedy = decision.state, decision.problem, decision.remedy
        child.restart_at_s = time.monotonic() + decision.delay_s

    def _hear(self) -> None:
        """Carry out what the coordinator, or a node's agent, has written."""
        for command in self._control.hear():
            self._obey(command)

    def _obey(self, command: Command) -> None:
        match command:
            case Forgive(child=name):
                self._forgive(name)
            case Reload(environment=name, now=now) if name not in NO_WORKERS and not self._stopping:
                self._replace(name, now=now)
            case Kill() if (child := self._meant(command)) is not None:
                log.warning("killing %s: %s", child.name, command.reason)
                child.signal_group(signal.SIGKILL)
            case Beat():
                self._beat_s = time.monotonic()
                self._tell_ready(when=True)
            case Proved() if (child := self._meant(command)) is not None:
                child.prove()

    def _meant(self, command: Kill | Proved) -> Child | None:
        """Return the child, if its worker is still the process that the command means."""
        child = self._children.get(command.child)
        if child is None or child.process is None:
            return None
        with contextlib.suppress(ProcessLookupError, OverflowError):
            if os.getpgid(command.pid) == child.process.pid:
                return child
        return None

    def _replace(self, environment: str, *, now: bool) -> None:
        """Have the environment's workers replaced by what its spec says when each has ended.

        The coordinator reads in `supervisor.json` that they are being replaced, and drains one after the
        other; `now`: they are killed here.
        """
        here = children_of(environment, self._children)
        alive = [child for child in here.values() if child.process is not None]
        for child in alive:
            log.info("%s is to be replaced", child.name)
            child.replacing = True
        for name in dict.fromkeys((*here, *self._workers.names(environment))):
            if self._children.get(name) not in alive:
                self._renew(name)
        self._write_state()
        reach("supervisor.child.replacing")
        if now:
            for child in alive:
                child.signal_group(signal.SIGKILL)

    def _renew(self, name: str) -> None:
        """Start what the environment's spec says now; nothing where it has no such worker any more."""
        old = self._children.get(name)
        if old is not None:
            old.release()
        child = self._workers.again(name)
        if child is None:
            self._children.pop(name, None)
            return
        child.last_exit = old.last_exit if old is not None else None
        self._children[name] = child
        if child.state == "starting":
            self._start(child)
        reach("supervisor.child.replaced")

    def _forgive(self, name: str) -> None:
        """Strike the newest exit: a film caused it, and it must not count against the environment."""
        child = self._children.get(name)
        if child is not None and child.exits:
            child.exits.pop()
            if child.state == "crash-loop":
                child.state, child.problem, child.remedy = "restarting", "", ""
                self._write_state()

    def _follow_cluster(self) -> None:
        """Start or end Ray and the bridge as the settings say now; no worker is touched."""
        self._tell_ready(when=not self._ready and self._carriers.is_up())
        starts, ends = self._carriers.changes(self._children)
        for child in ends:
            child.replacing = True
            child.signal_group(signal.SIGKILL)
            if child.process is None:
                self._renew(child.name)
        for child in starts:
            self._children[child.name] = child
            if child.state == "starting":
                self._start(child)
        if starts or ends:
            self._write_state()

    def _tell_ready(self, *, when: bool) -> None:
        if when and not self._ready:
            self._ready = True
            tell_manager(READY)

    def _on_stop(self, number: int, _frame: object) -> None:
        log.info("told to stop (signal %d)", number)
        self._stopping = True

    def _stop(self) -> None:
        """Drain, wait, SIGTERM, SIGKILL: the coordinator passes the drain on and ends when it is done."""
        reach("supervisor.stop.begun")
        tell_manager(STOPPING)
        self._write_state()
        alive = [child for child in self._children.values() if child.process is not None]
        # HTTP and setup have no call to finish: jobs go on without them.
        for name in (COORDINATOR, HTTP, SETUP):
            if name in self._children:
                self._children[name].signal_group(signal.SIGTERM)
        reach("supervisor.stop.coordinator-told")
        # On a node the agent, which lives in Ray, reads that we are stopping, and drains in its head's place.
        carriers, others = self._carriers.split(alive)
        alive = carriers + self._wait_for(others, self._carriers.drain_s(DRAIN_S))
        for number in (signal.SIGTERM, signal.SIGKILL):
            for child in alive:
                child.signal_group(number)
            alive = self._wait_for(alive, TERM_S)
        reach("supervisor.stop.children-ended")
        supervisor_file(self._runtime).unlink(missing_ok=True)
        reach("supervisor.stop.ended")

    def _wait_for(self, children: list[Child], wait_s: float) -> list[Child]:
        until = time.monotonic() + wait_s
        while children and time.monotonic() < until:
            children = [child for child in children if not child.reap()]
            if children:
                self._wait(0.05)
                self._hear()
        return children

    def _write_state(self) -> None:
        report = dataclasses.replace(
            myself(),
            run=self._run,
            code=self._code,
            service=has_manager(),
            state="stopping" if self._stopping else "running",
            children={child.name: child.report() for child in self._children.values()},
        )
        reach("supervisor.state.before-write")
        try:
            write_supervisor(self._runtime, report)
            reach("supervisor.state.written")
        except OSError:  # for people to read: not worth every worker's end, and a full disk passes
            log.exception("supervisor.json cannot be written")


def run() -> int:
    """Supervise until stopped; return the exit code."""
    umask = umask_of(os.environ)
    os.umask(umask)
    # Wrong ones are refused here, where a person sees it.
    prune_after_ms(os.environ)
    http_settings(os.environ)
    home = envspecs.home()
    runtime = runtime_directory(home)
    state = envspecs.state_directory(home)
    with hold_state(state, myself()), RuntimeLock(runtime) as lock:
        reach("supervisor.start.locked")
        narrow(own_folders(home, state), umask)
        swept = sweep(runtime)
        reach("supervisor.start.swept")
        if swept:
            log.warning("ended %d processes that an older run had left", swept)
        Supervisor(home, runtime, lock).serve()
    return ExitCode.DONE


def main(words: list[str]) -> int:
    """`supervisor.py run [--foreground]`: return the exit code."""
    os.umask(0o077)  # until the person's own is known
    begin_log(envspecs.logs_directory(), foreground=words[1:] == ["--foreground"])
    if words not in (["run"], ["run", "--foreground"]):
        log.error("usage: python supervisor.py run [--foreground]")
        return ExitCode.USAGE
    try:
        return run()
    except CpwError as failure:
        log.error("%s %s", failure.message, failure.remedy)  # noqa: TRY400 (a sentence, not a crash)
        return ExitCode.NOT_RUNNING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
