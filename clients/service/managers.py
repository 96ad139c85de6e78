"""Service managers that a house can be given to: where their file lies, and the words they are asked by."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from clients.service import units
from envspecs.processes.manager import LABEL
from protocol.errors import NotRunningError

__all__ = ["Launchd", "Manager", "Ran", "Systemd", "manager_here", "run_words", "usual_manager"]

_UNIT = "cpw.service"
_LINGER = Path("/var/lib/systemd/linger")
_TIMEOUT_S = 400.0
"""systemctl waits for the start, which a slow disk may hold up."""


@dataclass(frozen=True)
class Ran:
    """How a manager's command ended."""

    code: int
    said: str


Run = Callable[[Sequence[str]], Ran]


def run_words(words: Sequence[str]) -> Ran:
    """Run a manager's command, a list of words."""
    done = subprocess.run(
        list(words), capture_output=True, text=True, errors="replace", check=False, timeout=_TIMEOUT_S
    )
    return Ran(done.returncode, (done.stderr.strip() or done.stdout.strip()))


class Manager(ABC):
    """A service manager. `file` is where it wants its text, `remedy` where it says why a start failed."""

    name: str
    file: Path
    remedy: str

    def __init__(self, run: Run) -> None:
        self._run = run

    @abstractmethod
    def text(self, service: units.Service) -> str:
        """Return what the manager is told of the service."""

    @abstractmethod
    def checkout(self, text: str) -> Path | None:
        """Return the checkout that a text of ours is for; None for another's."""

    @abstractmethod
    def same(self, text: str, other: str) -> bool:
        """Return whether two texts differ in nothing but the settings that they carry."""

    @abstractmethod
    def start(self, *, again: bool) -> None:
        """Have the service run now and at each login; `again`: it runs already, by another text."""

    @abstractmethod
    def stop(self) -> None:
        """Have the service stopped, and not run at a login."""

    @abstractmethod
    def forget(self) -> None:
        """Tell the manager that the file is gone."""

    @abstractmethod
    def state(self) -> str:
        """Return what the manager says of the service: `active`, `inactive`, `failed`, ..."""

    @abstractmethod
    def boot_advice(self) -> str:
        """Return the command that has it run at boot, without a login; empty where none is needed."""

    def active(self) -> bool:
        """Return whether it runs, or is being started."""
        return self.state() in ("active", "activating", "reloading", "running")

    def _ask(self, *words: str) -> Ran:
        ran = self._run(words)
        if ran.code:
            last = ran.said.splitlines()[0] if ran.said else f"exit code {ran.code}"
            raise NotRunningError(f"{' '.join(words[:3])} failed: {last}", self.remedy)
        return ran


class Systemd(Manager):
    """The user's instance of systemd."""

    name = "systemd"
    remedy = f"See: journalctl --user -u {_UNIT}, cpw logs supervisor"

    def __init__(self, run: Run, config: Path, user: str) -> None:
        super().__init__(run)
        self.file = config / "systemd" / "user" / _UNIT
        self._user = user

    def text(self, service: units.Service) -> str:
        """Return the unit."""
        return units.systemd_unit(service)

    def checkout(self, text: str) -> Path | None:
        """Return the checkout that the unit is for."""
        return units.unit_checkout(text)

    def same(self, text: str, other: str) -> bool:
        """Compare two units."""
        return units.same_unit(text, other)

    def start(self, *, again: bool) -> None:
        """Read the unit, enable it, and start it."""
        self._ask("systemctl", "--user", "daemon-reload")
        self._forgive()
        self._ask("systemctl", "--user", "enable", _UNIT)
        self._ask("systemctl", "--user", "restart" if again else "start", _UNIT)

    def stop(self) -> None:
        """Stop and disable the unit."""
        self._ask("systemctl", "--user", "disable", "--now", _UNIT)

    def forget(self) -> None:
        """Have the units read anew."""
        self._forgive()
        self._ask("systemctl", "--user", "daemon-reload")

    def _forgive(self) -> None:
        # A unit that failed too often is not started any more; one that did not fail makes this fail.
        self._run(("systemctl", "--user", "reset-failed", _UNIT))

    def state(self) -> str:
        """Return its state, `unknown` where systemd cannot be asked."""
        return self._run(("systemctl", "--user", "is-active", _UNIT)).said.partition("\n")[0] or "unknown"

    def boot_advice(self) -> str:
        """Return the command that lets the user's units run without a login."""
        return "" if (_LINGER / self._user).exists() else f"loginctl enable-linger {self._user}"


class Launchd(Manager):
    """The user's agents of launchd."""

    name = "launchd"
    remedy = f"See: launchctl print gui/$UID/{LABEL}, cpw logs supervisor"

    def __init__(self, run: Run, library: Path, uid: int) -> None:
        super().__init__(run)
        self.file = library / "LaunchAgents" / f"{LABEL}.plist"
        self._domain = f"gui/{uid}"
        self._target = f"{self._domain}/{LABEL}"

    def text(self, service: units.Service) -> str:
        """Return the agent."""
        return units.launchd_agent(service)

    def checkout(self, text: str) -> Path | None:
        """Return the checkout that the agent is for."""
        return units.agent_checkout(text)

    def same(self, text: str, other: str) -> bool:
        """Compare two agents."""
        return units.same_agent(text, other)

    def start(self, *, again: bool) -> None:  # noqa: ARG002 (launchd loads a new text in one way only)
        """Load the agent, which starts it."""
        self.stop()
        self._ask("launchctl", "enable", self._target)
        self._ask("launchctl", "bootstrap", self._domain, str(self.file))

    def stop(self) -> None:
        """Unload the agent, which stops it; one that is not loaded is let be."""
        if self.state() != "inactive":
            self._ask("launchctl", "bootout", self._target)

    def forget(self) -> None:
        """Do nothing: launchd reads files at a login only."""

    def state(self) -> str:
        """Return its state; `inactive` where it is not loaded."""
        ran = self._run(("launchctl", "print", self._target))
        if ran.code:
            return "inactive"
        states = [line.partition("=")[2].strip() for line in ran.said.splitlines() if "state =" in line]
        return states[0] if states else "unknown"

    def boot_advice(self) -> str:
        """Return nothing: an agent needs a login."""
        return ""


def usual_manager(run: Run = run_words) -> Manager:
    """Return the manager of this kind of machine, whether it runs or not."""
    if sys.platform == "darwin":
        return Launchd(run, Path.home() / "Library", os.getuid())
    given = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    config = given if given.is_absolute() else Path.home() / ".config"
    return Systemd(run, config, pwd.getpwuid(os.getuid()).pw_name)


def manager_here(run: Run = run_words) -> Manager | None:
    """Return the manager that runs on this machine; None where there is neither of the two."""
    program = "launchctl" if sys.platform == "darwin" else "systemctl"
    booted = sys.platform == "darwin" or Path("/run/systemd/system").is_dir()
    return usual_manager(run) if booted and shutil.which(program) is not None else None
