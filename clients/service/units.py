"""The text of a systemd user unit and of a launchd agent. Pure."""

from __future__ import annotations

import json
import plistlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from envspecs.processes.manager import LABEL
from protocol.errors import UsageError

__all__ = [
    "STOP_S",
    "Service",
    "agent_checkout",
    "launchd_agent",
    "same_agent",
    "same_unit",
    "systemd_unit",
    "unit_checkout",
]

STOP_S = 45
"""A stop takes the supervisor 14 s at most; only then may everything be killed."""
_CHECKOUT = "# Checkout: "
_CHECKOUT_KEY = "CpwCheckout"
_NO_PROGRAM = re.compile(r"[\"'\\$\x00-\x1f\x7f]")
_UNIT = """\
# Written by `cpw service install`, which writes it anew; `cpw service remove` removes it.
{checkout}
[Unit]
Description=cpw: subtitles for films
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
{settings}TimeoutStartSec=300
TimeoutStopSec={stop_s}
WatchdogSec=120
KillMode=mixed
Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2 3
UMask=0077

[Install]
WantedBy=default.target
"""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What is to be kept running."""

    checkout: Path
    python: Path
    """The interpreter of the environment common, by the name that survives the next build."""
    settings: Mapping[str, str]
    """Environment variables."""

    @property
    def command(self) -> tuple[str, ...]:
        """Return the words of the command; it stays in the foreground."""
        return (str(self.python), "-I", "-m", "clients.cli", "up", "--foreground")


def systemd_unit(service: Service) -> str:
    """Return the unit; `UsageError` where a path or a setting is not UTF-8, which no unit can hold."""
    words = list(service.command)
    if _NO_PROGRAM.search(words[0]):
        # systemd runs no file of such a name, and does not undouble a "$" in it; as a word it is passed on.
        if "=" in words[0]:
            raise UsageError(
                f"systemd cannot be told the path {words[0]!r}.", "Give the folder another name."
            )
        words = ["/usr/bin/env", *words]
    command = [_quoted(word, "$") for word in words]
    settings = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in service.settings.items()
    )
    return _UNIT.format(
        checkout=_CHECKOUT + json.dumps(_text(str(service.checkout))),
        command=" ".join(command),
        settings=settings,
        stop_s=STOP_S,
    )


def _quoted(text: str, doubled: str = "") -> str:
    """Return one word by systemd's rules: quotes around it, C escapes in it, `%` and `doubled` twice."""
    escaped = "".join(
        f"\\x{ord(sign):02x}" if ord(sign) < ord(" ") or sign == "\x7f" else sign
        for sign in _text(text).replace("\\", "\\\\").replace('"', '\\"')
    )
    for sign in ("%", *doubled):
        escaped = escaped.replace(sign, sign * 2)
    return f'"{escaped}"'


def _text(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise UsageError(
            f"{text!r} is not UTF-8: a service cannot name it.", "Give it another name."
        ) from error
    return text


def unit_checkout(unit: str) -> Path | None:
    """Return the checkout that a unit of ours is for; None for another's."""
    found = re.search(rf"^{re.escape(_CHECKOUT)}(.*)$", unit, re.MULTILINE)
    try:
        return Path(json.loads(found[1])) if found is not None else None
    except (ValueError, TypeError):
        return None


def same_unit(unit: str, other: str) -> bool:
    """Return whether two units differ in nothing but the settings that they carry."""
    return _without_settings(unit) == _without_settings(other)


def _without_settings(unit: str) -> list[str]:
    return [line for line in unit.splitlines() if not line.startswith("Environment=")]


def launchd_agent(service: Service) -> str:
    """Return the agent's property list; `UsageError` as in `systemd_unit`, and for what XML cannot hold."""
    texts = [str(service.checkout), *service.command, *service.settings.values()]
    if any(re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", _text(text)) for text in texts):
        raise UsageError("A control character stands in a path or a setting: launchd cannot be told it.")
    agent: dict[str, Any] = {
        "Label": LABEL,
        "ProgramArguments": list(service.command),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": STOP_S,
        # Not Background: launchd would slow a film's computing and reading down.
        "ProcessType": "Standard",
        "Umask": 0o077,
        _CHECKOUT_KEY: str(service.checkout),
    }
    if service.settings:
        agent["EnvironmentVariables"] = dict(service.settings)
    return plistlib.dumps(agent, sort_keys=False).decode()


def agent_checkout(agent: str) -> Path | None:
    """Return the checkout that an agent of ours is for; None for another's."""
    found = _read_agent(agent).get(_CHECKOUT_KEY)
    return Path(found) if isinstance(found, str) else None


def same_agent(agent: str, other: str) -> bool:
    """Return whether two agents differ in nothing but the settings that they carry."""
    one, two = _read_agent(agent), _read_agent(other)
    for read in (one, two):
        read.pop("EnvironmentVariables", None)
    return one == two


def _read_agent(agent: str) -> dict[str, Any]:
    try:
        found = plistlib.loads(agent.encode())
    except (plistlib.InvalidFileException, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
