"""The supervisor, seen from outside: starting it, stopping it, reading the file with its state."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NoReturn

from clients.desk import Asker, Desk
from envspecs.access import TOKENS
from envspecs.code import RESTART, code_digest
from envspecs.layout import COMMON, state_directory, venv_path
from protocol.endpoints import http_address_file, prepare_runtime_directory
from protocol.errors import MissingError, NotRunningError, UsageError
from protocol.messages import HealthQuery, HealthReport, Problem
from protocol.supervisor import (
    BRIDGE,
    FINAL_STATES,
    HTTP,
    NO_WORKERS,
    RAY,
    SupervisorReport,
    read_supervisor,
)

if TYPE_CHECKING:
    import psutil

__all__ = [
    "READY",
    "Standing",
    "assess",
    "check_built",
    "child_states",
    "live_supervisor",
    "path_advice",
    "run_in_foreground",
    "running_supervisor",
    "server_address",
    "start",
    "stop",
    "supervisor_log",
    "wait_until_up",
    "why_outdated",
    "with_supervisor",
]

READY = frozenset({"ready", "busy"})
_LOOK_SECONDS = 0.25
_ASK_MS = 1_000
# The kernel's boot time, on which psutil counts, moves a little when the clock is set.
_SAME_START_SECONDS = 2.0
_KILL_SECONDS = 5.0
_GONE_SECONDS = 0.05


Standing = Literal["wait", "healthy", "ended"]


def live_supervisor(runtime: Path) -> SupervisorReport | None:
    """Return the state of the supervisor that runs now."""
    return _live(read_supervisor(runtime))


def running_supervisor(desk: Desk) -> SupervisorReport | None:
    """Return the supervisor that runs now, also where its runtime directory was removed."""
    return live_supervisor(desk.runtime) or _live(_holder(desk))


def why_not_looked_after(desk: Desk) -> Problem | None:
    """Return what is wrong with the supervisor of a house that answers; None where it does its work."""
    import psutil

    state = running_supervisor(desk)
    process = _process(state) if state is not None else None
    if state is None or process is None or process.status() != psutil.STATUS_STOPPED:
        return None
    sentence = f"The supervisor, process {state.pid}, is stopped: nothing is started again that ends."
    return Problem(sentence=sentence, remedy=f"kill -CONT {state.pid}")


def why_outdated(desk: Desk) -> Problem | None:
    """Return that the checkout's code has changed since the house was started; None where it has not."""
    state = running_supervisor(desk)
    now = code_digest() if state is not None and state.code else ""
    if state is None or not now or state.code == now:
        return None
    remedy = "make build && cpw service install" if state.service else RESTART
    return Problem(sentence="The code has changed since everything was started.", remedy=remedy)


def server_address(desk: Desk) -> str | None:
    """Return where the HTTP server listens; None where it does not run."""
    state = running_supervisor(desk)
    child = state.children.get(HTTP) if state is not None else None
    if child is None or child.state != "running":
        return None
    try:
        return http_address_file(desk.runtime).read_text().strip() or None
    except OSError:
        return None


def why_no_server(desk: Desk) -> Problem | None:
    """Return what is wrong with the HTTP server; None where it runs, or is not to run."""
    state = running_supervisor(desk)
    child = state.children.get(HTTP) if state is not None else None
    if child is None or not child.problem:
        return None
    return Problem(sentence=f"The HTTP server does not run: {child.problem}", remedy=child.remedy)


def why_no_cluster(desk: Desk) -> Problem | None:
    """Return what is wrong with Ray here, or the bridge; None where they run, or are not to."""
    state = running_supervisor(desk)
    children = state.children if state is not None else {}
    for name in (RAY, BRIDGE):
        if name in children and children[name].problem:
            sentence = f"The other machines of the cluster get no work: {name}: {children[name].problem}"
            return Problem(sentence=sentence, remedy=children[name].remedy)
    return None


def with_supervisor(desk: Desk, answer: HealthReport) -> HealthReport:
    """Add what only a look from outside tells; old code alone makes nothing unhealthy: it works as before."""
    for problem in (why_no_server(desk), why_no_cluster(desk), why_not_looked_after(desk)):
        if problem is not None:
            answer = replace(answer, healthy=False, problems=(problem, *answer.problems))
    if (outdated := why_outdated(desk)) is not None:
        answer = replace(answer, problems=(outdated, *answer.problems))
    return answer


def _holder(desk: Desk) -> SupervisorReport | None:
    from envspecs.processes.sole import holder_of

    return holder_of(state_directory(desk.home))


def _live(state: SupervisorReport | None) -> SupervisorReport | None:
    return state if state is not None and _process(state) is not None else None


def _process(state: SupervisorReport) -> psutil.Process | None:
    """Return the process that wrote the state; None if it ended, even if another has its number now."""
    import psutil

    try:
        process = psutil.Process(state.pid)
        same = abs(process.create_time() - state.started) < _SAME_START_SECONDS
        gone = process.status() == psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError):
        return None
    except psutil.AccessDenied as error:
        message = f"The supervisor, process {state.pid}, belongs to another user."
        raise NotRunningError(message, "Stop it as that user.") from error
    return process if same and not gone else None


def check_built(home: Path) -> None:
    """Raise `MissingError` unless every environment that is needed on this machine is built."""
    from envspecs.builds.installed import build_state
    from envspecs.layout import specs_directory
    from envspecs.spec import read_all

    missing = [
        spec.name
        for spec in read_all(specs_directory(home))
        if not spec.optional and spec.usable_here() and build_state(spec, home) == "missing"
    ]
    if missing:
        what = (
            f"environment {missing[0]} is" if len(missing) == 1 else f"environments {', '.join(missing)} are"
        )
        raise MissingError(f"The {what} not built.", "make build")


def start(desk: Desk) -> subprocess.Popen[bytes]:
    """Start the supervisor in its own session, so that it goes on when the terminal is closed."""
    script = _script(desk)
    log = supervisor_log(desk.home)
    for folder in (state_directory(desk.home), log.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        return subprocess.Popen(
            [sys.executable, "-I", str(script), "run"],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=subprocess.STDOUT,
            cwd=desk.home,
            env=_environment(desk),
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def run_in_foreground(desk: Desk) -> NoReturn:
    """Become the supervisor: process, terminal and exit code are from now on the supervisor's."""
    script = _script(desk)
    # A Ctrl-C before the supervisor can stop in order waits until it can.
    signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT, signal.SIGTERM))
    # Not by the name that people use: the next build that is swapped in must not change what runs.
    python = str(Path(os.path.realpath(sys.prefix)) / "bin" / "python")
    os.chdir(desk.home)
    words = [python, "-I", str(script), "run", "--foreground"]
    os.execve(python, words, _environment(desk))  # noqa: S606 (a list of words, never a shell's line)


def _script(desk: Desk) -> Path:
    script = desk.home / "supervisor.py"
    if not script.is_file():
        raise MissingError(f"{script} does not exist.", "Set CPW_HOME to the checkout, or unset it.")
    return script


def supervisor_log(home: Path) -> Path:
    """Return the log file of the supervisor itself."""
    from envspecs.layout import logs_directory
    from envspecs.processes import own_log

    return own_log.supervisor_log(logs_directory(home))


def _environment(desk: Desk) -> dict[str, str]:
    """Return our environment variables, with absolute paths: the supervisor works in another folder."""
    # A person's token is for fetching models, and no running process needs it.
    given = {name: value for name, value in os.environ.items() if name not in TOKENS}
    known = {"CPW_HOME": desk.home, "CPW_OUT": desk.out, "CPW_RUNTIME": desk.runtime}
    return {**given, **{name: str(path) for name, path in known.items() if name in given}}


def child_states(health: HealthReport | None, supervisor: SupervisorReport | None) -> dict[str, str]:
    """Return the state of each worker as far as it is known.

    If the supervisor has given a worker up, that counts more than an older report of the coordinator.
    """
    children = supervisor.children if supervisor else {}
    states: dict[str, str] = {name: child.state for name, child in children.items()}
    for name in NO_WORKERS:
        states.pop(name, None)
    for environment in health.environments if health else ():
        name = environment.worker or environment.environment
        if environment.node:
            continue  # this machine's supervisor has nothing to do with it
        if states.get(name) not in FINAL_STATES:
            states[name] = environment.state
    return states


def assess(health: HealthReport | None, states: Mapping[str, str]) -> Standing:
    """Decide whether to wait: no longer if everything needed is ready, or if waiting does not help."""
    if health is None:
        return "wait"
    if health.healthy:
        return "healthy"
    if states and all(state in READY or state in FINAL_STATES for state in states.values()):
        return "ended"
    return "wait"


def wait_until_up(
    desk: Desk,
    asker: Asker,
    process: subprocess.Popen[bytes] | None,
    seconds: float,
    show: Callable[[Mapping[str, str]], None],
) -> HealthReport | None:
    """Wait until `assess` ends the wait or the time is over; return the last report, if any."""
    deadline = desk.clock() + seconds
    health: HealthReport | None = None
    while True:
        supervisor = running_supervisor(desk)
        if supervisor is None and (process is None or process.poll() is not None):
            raise _died(None if process is None else process.returncode)
        try:
            health = asker.ask(HealthQuery(), timeout_ms=_ASK_MS)
        except NotRunningError:
            health = None
        states = child_states(health, supervisor)
        show(states)
        if assess(health, states) != "wait" or desk.clock() >= deadline:
            return health
        desk.pause(_LOOK_SECONDS)


def _died(code: int | None) -> NotRunningError:
    if code is None:
        return NotRunningError("The supervisor has just been stopped.", "make up")
    how = f"exit code {code}" if code >= 0 else f"signal {-code}"
    return NotRunningError(f"The supervisor ended at once ({how}).", "cpw logs supervisor")


def stop(desk: Desk, seconds: float) -> Literal["not running", "stopped", "killed"]:
    """Stop the supervisor, which stops everything else; kill it if it does not end in time."""
    import psutil

    if os.path.lexists(desk.runtime):
        # In a folder that others may write, the file could name any process of ours.
        prepare_runtime_directory(desk.runtime)
    state = running_supervisor(desk)
    if state is None or (process := _process(state)) is None:
        return "not running"
    try:
        process.send_signal(signal.SIGTERM)
        if _wait_gone(desk, state, seconds):
            return "stopped"
        process.kill()
    except psutil.NoSuchProcess:
        return "stopped"
    except psutil.AccessDenied as error:
        message = f"You may not stop the supervisor, process {state.pid}."
        raise UsageError(message, "Stop it as the user who started it.") from error
    if not _wait_gone(desk, state, _KILL_SECONDS):
        message = f"The supervisor, process {state.pid}, did not end when it was killed."
        raise NotRunningError(message, f"It waits for the disk or the kernel; see: ps -l {state.pid}")
    return "killed"


def _wait_gone(desk: Desk, state: SupervisorReport, seconds: float) -> bool:
    # Not with psutil's own wait: for that a zombie is alive as long as its parent does not reap it.
    deadline = desk.clock() + seconds
    while _process(state) is not None:
        if desk.clock() >= deadline:
            return False
        desk.pause(_GONE_SECONDS)
    return True


def path_advice(home: Path) -> str:
    """Return the command that puts `cpw-submit` on the PATH; empty if it is there already."""
    if shutil.which("cpw-submit") is not None:
        return ""
    folder = str(venv_path(COMMON, home) / "bin")
    if shlex.quote(folder) == folder:
        return f'export PATH="{folder}:$PATH"'
    return f'export PATH={shlex.quote(folder)}:"$PATH"'
