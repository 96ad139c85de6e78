from __future__ import annotations

import configparser
import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from clients.service.units import (
    Service,
    agent_checkout,
    launchd_agent,
    same_agent,
    same_unit,
    systemd_unit,
    unit_checkout,
)
from envspecs.processes.manager import LABEL
from protocol.errors import UsageError

CHECKOUTS = ["plain", "a b%h", "a \"b\" %h \\n $HOME ${x}; 'q' ü", "new\nline", "~ # ; x", "a=b", "two  "]
AGENT_KEYS = {
    "Label", "ProgramArguments", "RunAtLoad", "KeepAlive", "ThrottleInterval", "ExitTimeOut", "ProcessType",
    "Umask", "EnvironmentVariables",
}  # fmt: skip
"""Of launchd.plist(5): what the agent uses."""


def service_in(checkout: Path, **settings: str) -> Service:
    return Service(
        checkout=checkout, python=checkout / "venv" / "common" / "bin" / "python", settings=settings
    )


def words_of(line: str) -> list[str]:
    """Read a line as systemd does: quotes, C escapes, then `%%` and `$$`. Written by systemd.syntax(7)."""
    words = []
    for word in re.findall(r'"((?:[^"\\]|\\.)*)"', line):
        text = re.sub(
            r"\\(x[0-9a-f]{2}|.)",
            lambda found: chr(int(found[1][1:], 16)) if len(found[1]) > 1 else found[1],
            word,
        )
        words.append(text.replace("%%", "%").replace("$$", "$"))
    return words


def unit_of(text: str) -> configparser.RawConfigParser:
    read = configparser.RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    read.optionxform = str
    read.read_string(text)
    return read


@pytest.mark.parametrize("name", CHECKOUTS)
def test_the_unit_starts_this_interpreter_whatever_the_path(tmp_path, name):
    service = service_in(tmp_path / name)
    command = unit_of(systemd_unit(service))["Service"]["ExecStart"]
    found = words_of(command.removeprefix("/usr/bin/env"))
    assert [word for word in found if word != "/usr/bin/env"] == list(service.command)
    assert service.command[1:] == ("-I", "-m", "clients.cli", "up", "--foreground")


def test_settings_are_carried_in_as_they_are(tmp_path):
    settings = {"CPW_OUT": 'films % "x" \\ $A', "CPW_MEMORY_WHISPERX": "ram_mb=4000 load=first-use"}
    lines = [
        line for line in systemd_unit(service_in(tmp_path, **settings)).splitlines() if "Environment" in line
    ]
    assert [words_of(line.replace("$", "$$"))[0] for line in lines] == [
        f"{name}={value}" for name, value in settings.items()
    ]


def test_the_manager_gives_a_stop_its_time_and_kills_nobody_before():
    section = unit_of(systemd_unit(service_in(Path("/x"))))["Service"]
    assert section["KillMode"] == "mixed"  # SIGTERM to the supervisor alone; it ends its own in order
    assert int(section["TimeoutStopSec"]) > 10 + 2 + 2
    assert (section["Restart"], section["Type"]) == ("on-failure", "notify")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("name", CHECKOUTS)
def test_systemd_finds_no_fault_in_the_unit(tmp_path, name):
    service = service_in(tmp_path / "checkout" / name, CPW_OUT=f"/films/{name}", CPW_CORES="")
    service.python.parent.mkdir(parents=True)
    service.python.symlink_to(sys.executable)
    unit = tmp_path / "cpw.service"
    unit.write_text(systemd_unit(service))
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    done = subprocess.run(
        ["systemd-analyze", "--user", "verify", unit],
        env={**os.environ, "XDG_RUNTIME_DIR": str(runtime)},
        capture_output=True,
        text=True,
        check=False,
    )
    # Its exit code is 0 for unknown keys and wrong values too: they are only said.
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", CHECKOUTS)
def test_the_checkout_of_a_unit_and_of_an_agent_is_found_again(name):
    service = service_in(Path("/home/asha") / name)
    assert unit_checkout(systemd_unit(service)) == service.checkout
    assert agent_checkout(launchd_agent(service)) == service.checkout
    assert plistlib.loads(launchd_agent(service).encode())["ProgramArguments"] == list(service.command)


@pytest.mark.parametrize("other", ["", "[Unit]\nDescription=x\n", "# Checkout: 5\n", "# Checkout: {\n"])
def test_a_text_of_somebody_else_has_no_checkout(other):
    assert unit_checkout(other) is None
    assert agent_checkout(other) is None


def test_the_agent_says_what_launchd_knows(tmp_path):
    agent = plistlib.loads(launchd_agent(service_in(tmp_path, CPW_CORES="2")).encode())
    assert agent.keys() - AGENT_KEYS == {"CpwCheckout"}
    assert (agent["Label"], agent["RunAtLoad"], agent["Umask"]) == (LABEL, True, 0o077)
    assert agent["KeepAlive"] == {"SuccessfulExit": False}  # after a crash, and not after `cpw down`
    assert agent["ExitTimeOut"] > 10 + 2 + 2
    assert agent["EnvironmentVariables"] == {"CPW_CORES": "2"}


def test_settings_alone_make_no_other_service():
    here, there = Path("/a"), Path("/b")
    for text, same in ((systemd_unit, same_unit), (launchd_agent, same_agent)):
        assert same(text(service_in(here, CPW_CORES="2")), text(service_in(here)))
        assert not same(text(service_in(here)), text(service_in(there)))


def test_what_a_manager_cannot_be_told_is_refused():
    wrong = Path("/home/\udcff/cpw")
    for text in (systemd_unit, launchd_agent):
        with pytest.raises(UsageError, match="not UTF-8"):
            text(service_in(wrong))
    with pytest.raises(UsageError, match="systemd cannot be told"):
        systemd_unit(service_in(Path("/a='b'")))
    with pytest.raises(UsageError, match="control character"):
        launchd_agent(service_in(Path("/a\x01b")))
