"""`cpw envs`, `cpw models`: the commands of envspecs, and what cpw adds to them because it can ask what runs.

After a build the workers of what was built are started again in it; `cpw models ps` shows what is loaded.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from clients.asking import ask_coordinator, why_silent
from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Asker, Desk
from clients.screen.machine import budget_sentences, loaded_json, loaded_table
from clients.supervisor import READY, live_supervisor
from envspecs.__main__ import main as envspecs_main
from envspecs.builds.installed import is_built
from envspecs.layout import COMMON, specs_directory
from envspecs.spec import EnvSpec, read, read_all, spec_names
from protocol.clock import now_ms
from protocol.errors import ExitCode, NotRunningError
from protocol.job_changes import ReloadEnvironment, Reloading
from protocol.messages import HealthQuery, HealthReport
from protocol.supervisor import FINAL_STATES, ChildReport, children_of, is_unbuilt

__all__ = ["SPOKEN", "RunningWorkers", "envs", "models"]

_PASS_ON = {"ignore_unknown_options": True, "help_option_names": []}
"""For commands whose words are read by envspecs, `--help` too."""
SPOKEN = {"python3 -m envspecs": "cpw envs", "python3 -m envspecs models": "cpw models"}
_LOOK_SECONDS = 0.25
_ASK_MS = 1_000
_AT_LEAST_SECONDS = 60.0


@click.command(context_settings=_PASS_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@pass_desk
def envs(desk: Desk, words: tuple[str, ...]) -> int:
    """List, build, upgrade, roll back and copy environments."""
    return envspecs_main(list(words), SPOKEN, RunningWorkers(desk))


@click.command(context_settings=_PASS_ON)
@click.argument("words", nargs=-1, type=click.UNPROCESSED)
@pass_desk
def models(desk: Desk, words: tuple[str, ...]) -> int:
    """List, fetch and verify models; ps shows the loaded ones."""
    if words[:1] == ("ps",):
        code: int = models_ps.main(list(words[1:]), "cpw models ps", standalone_mode=False, obj=desk)
        return code
    return envspecs_main(["models", *words], SPOKEN)


@click.command("ps", context_settings=CONTEXT)
@json_option
@pass_desk
def models_ps(desk: Desk, *, as_json: bool) -> ExitCode:
    """Show every loaded model: its environment, size, loads and last use."""
    answer: HealthReport = ask_coordinator(desk, HealthQuery())
    if as_json:
        desk.report.json(loaded_json(answer))
        return ExitCode.DONE
    table = loaded_table(answer, now_ms() / 1000)
    if table.rows:
        desk.report.table(table)
    else:
        desk.report.line("no model is loaded; a job loads the models that it needs")
    desk.report.lines(budget_sentences(answer))
    return ExitCode.DONE


class RunningWorkers:
    """The workers that run from this checkout, if any do: they are restarted in what envspecs has built."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def reload(self, names: Sequence[str], *, now: bool = False) -> ExitCode:
        """Restart the workers of these environments, and wait until each is ready or has failed.

        A worker that first finishes a call is not waited for. Raises `NotRunningError` where nothing runs.
        """
        if live_supervisor(self._desk.runtime) is None:
            raise why_silent(self._desk.runtime)
        code = ExitCode.DONE
        try:
            with self._desk.connect(self._desk.runtime) as asker:
                for name in names:
                    code = max(code, self._reload(asker, name, now=now))
        except KeyboardInterrupt:
            self._desk.report.remark("it continues; see: cpw health")
            return ExitCode.INTERRUPTED
        return code

    def changed(self, names: Sequence[str]) -> ExitCode:
        """Restart the workers of these, and start one for each environment that is built and has none.

        Does nothing where nothing runs.
        """
        state = live_supervisor(self._desk.runtime)
        if state is None or state.state != "running":
            return ExitCode.DONE
        specs = {spec.name: spec for spec in read_all(specs_directory(self._desk.home))}
        has_worker = {name for name, spec in specs.items() if spec.worker and spec.usable_here()}
        idle = {name for name in has_worker if is_unbuilt(state.children.get(name)) and is_built(specs[name])}
        gone = {name for name in names if name not in specs and name in state.children}
        if COMMON in names:
            self._desk.report.line(
                f"{COMMON}: supervisor and coordinator use the previous build until: make down && make up"
            )
        return self.reload(sorted((set(names) & has_worker) | idle | gone))

    def _reload(self, asker: Asker, name: str, *, now: bool) -> ExitCode:
        state = live_supervisor(self._desk.runtime)
        before = children_of(name, state.children) if state is not None else {}
        answer: Reloading = asker.ask(ReloadEnvironment(environment=name, now=now))
        if name not in spec_names(specs_directory(self._desk.home)):
            return self._wait_gone(name)
        several = len(answer.pids) > 1
        if answer.job and not now:
            after = "then a new one starts; to replace it now"
            if several:
                after = "then a new one starts, and so on, one worker after the other; to replace all now"
            self._desk.report.line(
                f"{name}: its worker finishes {answer.step} of {answer.job}, {after}: "
                f"cpw envs reload --now {name}"
            )
            return ExitCode.DONE
        what = f"its {len(answer.pids)} workers" if several else "its worker"
        self._desk.report.line(f"{name}: restarting {what}; the others keep running")
        return self._wait_ready(asker, read(name, specs_directory(self._desk.home)), before, answer)

    def _wait_gone(self, name: str) -> ExitCode:
        while self._workers(name):
            self._desk.pause(_LOOK_SECONDS)
        self._desk.report.line(f"{name}: its worker has stopped")
        return ExitCode.DONE

    def _wait_ready(
        self, asker: Asker, spec: EnvSpec, before: dict[str, ChildReport], answer: Reloading
    ) -> ExitCode:
        wait_s = max(_AT_LEAST_SECONDS, spec.limits.start_timeout_s) * max(1, len(before))
        old = {*answer.pids, answer.pid}
        deadline = self._desk.clock() + wait_s
        while self._desk.clock() < deadline:
            workers = self._workers(spec.name)
            new = {name: child for name, child in workers.items() if _is_new(child, before.get(name))}
            for name, child in new.items():
                if child.state in FINAL_STATES:
                    self._desk.report.error(f"{name} is {child.state}: {child.problem}", child.remedy)
                    return ExitCode.NOT_RUNNING
            if new and new == workers:
                pids = _ready_pids(asker, spec.name)
                if pids.keys() >= new.keys() and not old & set(pids.values()):
                    for name, child in new.items():
                        self._desk.report.line(f"{name}: ready, process {pids[name]}, build {child.build}")
                    return ExitCode.DONE
            self._desk.pause(_LOOK_SECONDS)
        self._desk.report.error(f"{spec.name} is not ready yet.", f"cpw health; cpw logs {spec.name}")
        return ExitCode.NOT_RUNNING

    def _workers(self, environment: str) -> dict[str, ChildReport]:
        state = live_supervisor(self._desk.runtime)
        return children_of(environment, state.children) if state is not None else {}


def _is_new(child: ChildReport, before: ChildReport | None) -> bool:
    return before is None or child.started_at != before.started_at


def _ready_pids(asker: Asker, environment: str) -> dict[str, int | None]:
    """Return the processes that serve the environment now, by the names of its workers."""
    try:
        health: HealthReport = asker.ask(HealthQuery(), timeout_ms=_ASK_MS)
    except NotRunningError:
        return {}
    return {
        row.worker or row.environment: row.pid
        for row in health.environments
        if row.environment == environment and not row.node and row.state in READY
    }
