"""`cpw service`: the house as a service of the user's systemd or launchd."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass
from pathlib import Path

import click

from clients.cli.shell import CONTEXT, json_option, pass_desk
from clients.desk import Desk
from clients.service.managers import Manager, manager_here, usual_manager
from clients.service.units import Service
from clients.supervisor import check_built, running_supervisor, why_outdated
from envspecs.layout import COMMON, venv_path
from envspecs.processes.variables import settings_in
from protocol.artefacts import write_whole
from protocol.errors import ExitCode, NotRunningError, UsageError

__all__ = ["install_service", "remove_service", "service", "service_here", "show_service"]

_PATHS = ("CPW_HOME", "CPW_OUT", "CPW_STATE", "CPW_MODELS", "CPW_RUNTIME", "CPW_MODEL_SOURCES")


@click.group(context_settings=CONTEXT)
def service() -> None:
    """Keep everything running: at each login, and after a crash."""


@service.command(context_settings=CONTEXT)
@click.option("--print", "only_print", is_flag=True, help="Only show what would be written.")
@pass_desk
def install(desk: Desk, *, only_print: bool) -> ExitCode:
    """Write a systemd user unit or a launchd agent, and start it."""
    if only_print:
        desk.report.lines(usual_manager().text(service_here(desk)).splitlines())
        return ExitCode.DONE
    return install_service(desk, _manager(desk), service_here(desk))


@service.command(context_settings=CONTEXT)
@pass_desk
def remove(desk: Desk) -> ExitCode:
    """Stop the service and remove its file; jobs and settings stay."""
    return remove_service(desk, _manager(desk))


@service.command(context_settings=CONTEXT)
@json_option
@pass_desk
def status(desk: Desk, *, as_json: bool) -> ExitCode:
    """Show whether the service is installed, runs, and fits this checkout.

    The exit code is 0 when all three are so, else 4.
    """
    return show_service(desk, _manager(desk), as_json=as_json)


def service_here(desk: Desk) -> Service:
    """Return the service of this checkout, with the settings of this shell."""
    settings = settings_in(os.environ)
    settings |= {name: os.path.abspath(settings[name]) for name in _PATHS if settings.get(name)}  # noqa: PTH100 (links stay)
    return Service(
        checkout=desk.home, python=venv_path(COMMON, desk.home) / "bin" / "python", settings=settings
    )


def _manager(desk: Desk) -> Manager:
    found = manager_here()
    if found is None:
        here = shlex.quote(str(venv_path(COMMON, desk.home) / "bin" / "cpw"))
        message = "Neither systemd nor launchd runs here, so nothing can keep a service."
        raise NotRunningError(message, f"{here} up --foreground, by whatever starts programs here")
    return found


def install_service(desk: Desk, manager: Manager, wanted: Service) -> ExitCode:
    """Write the manager's file and have the service run; nothing is done twice."""
    check_built(desk.home)
    before, text = _read(manager.file), manager.text(wanted)
    _refuse_another(manager, before, desk.home)
    runs = manager.active()
    if not runs and (by_hand := running_supervisor(desk)) is not None:
        message = f"Everything runs already, started by hand: the supervisor is process {by_hand.pid}."
        raise UsageError(message, "cpw down, then cpw service install")
    if before != text:
        manager.file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(manager.file, text.encode())
        desk.report.line(f"written: {manager.file}")
    desk.report.line(f"settings in it: {', '.join(wanted.settings) or 'none'}")
    if not runs or before != text or why_outdated(desk) is not None:
        manager.start(again=runs)
    desk.report.line("the service runs; to look at it: cpw health")
    if advice := manager.boot_advice():
        desk.report.lines(["it starts when you log in; to start it at boot:", f"  {advice}"])
    return ExitCode.DONE


def _refuse_another(manager: Manager, before: str | None, home: Path) -> None:
    if before is None:
        return
    other = manager.checkout(before)
    if other is None:
        message = f"{manager.file} was written by somebody else."
        raise UsageError(message, "Move it away, then: cpw service install")
    if other != home and (other / "supervisor.py").is_file():
        message = f"The service is that of another checkout, {other}."
        raise UsageError(message, "cpw service remove, then cpw service install")


def remove_service(desk: Desk, manager: Manager) -> ExitCode:
    """Stop the service and remove the file; nothing is done where there is none."""
    before = _read(manager.file)
    if before is None:
        desk.report.line("not installed")
        return ExitCode.DONE
    if manager.checkout(before) is None:
        message = f"{manager.file} was written by somebody else, and stays."
        raise UsageError(message, "Remove it yourself.")
    manager.stop()
    manager.file.unlink(missing_ok=True)
    manager.forget()
    desk.report.line(f"stopped and removed: {manager.file}")
    return ExitCode.DONE


@dataclass(frozen=True, kw_only=True)
class _Standing:
    installed: bool
    file: str
    state: str
    checkout: str
    problem: str = ""
    remedy: str = ""


def show_service(desk: Desk, manager: Manager, *, as_json: bool) -> ExitCode:
    """Show what there is; the exit code says whether it is as it should be."""
    found = _standing(desk, manager)
    good = found.installed and not found.problem
    if as_json:
        desk.report.json({"good": good, **vars(found)})
        return ExitCode.DONE if good else ExitCode.NOT_RUNNING
    if not found.installed:
        desk.report.line("not installed; to install it: cpw service install")
        return ExitCode.NOT_RUNNING
    desk.report.lines(
        [f"installed: {found.file}", f"state: {found.state}", f"checkout: {found.checkout or 'unknown'}"]
    )
    if found.problem:
        desk.report.error(found.problem, found.remedy)
    return ExitCode.DONE if good else ExitCode.NOT_RUNNING


def _standing(desk: Desk, manager: Manager) -> _Standing:
    text = _read(manager.file)
    checkout = manager.checkout(text) if text is not None else None
    problem, remedy = ("", "") if text is None else _misfit(desk, manager, text, checkout)
    state = manager.state() if text is not None else ""
    if text is not None and not problem and not manager.active():
        problem, remedy = "It does not run.", "cpw service install"
    return _Standing(
        installed=text is not None,
        file=str(manager.file),
        state=state,
        checkout=str(checkout or ""),
        problem=problem,
        remedy=remedy,
    )


def _misfit(desk: Desk, manager: Manager, text: str, checkout: Path | None) -> tuple[str, str]:
    """Return sentence and remedy where the installed text is not the one for this checkout."""
    if checkout is None:
        return "Somebody else wrote this file.", "Move it away, then: cpw service install"
    if checkout != desk.home:
        if (checkout / "supervisor.py").is_file():
            return f"It is the service of another checkout, not of {desk.home}.", "cpw service remove"
        return "Its checkout is gone; was it moved to here?", "cpw service install"
    if not manager.same(text, manager.text(service_here(desk))):
        return "An earlier version wrote it.", "cpw service install"
    return "", ""


def _read(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None
