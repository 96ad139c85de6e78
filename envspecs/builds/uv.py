"""The one place that runs uv and other tools: found or made, with an environment it can trust."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from envspecs.access import TOKENS
from envspecs.builds.guard import exclusive
from envspecs.layout import uv_directory
from envspecs.report import Report, step
from protocol.errors import CpwError, DiskFullError, MissingError, TransientError

__all__ = ["Tools", "base_python", "child_environment", "find_uv", "make_uv", "run_tool"]

_UV_REQUIREMENT = "uv>=0.9,<0.14"
# A person's token is for the one process that fetches with it, see `envspecs.models.fetch`.
_SCRUBBED = (
    *(*TOKENS, "RAY_AUTH_TOKEN", "RAY_ADDRESS"),
    *("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV", "CONDA_PREFIX", "__PYVENV_LAUNCHER__"),
)
# uv reads none of pip's settings; whoever set these wants packages from there.
_FROM_PIP = {
    "UV_FIND_LINKS": "PIP_FIND_LINKS",
    "UV_DEFAULT_INDEX": "PIP_INDEX_URL",
    "UV_INDEX": "PIP_EXTRA_INDEX_URL",
    "SSL_CERT_FILE": "PIP_CERT",
}
_OFFLINE_SIGNS = (
    "error sending request",
    "dns error",
    "failed to fetch",
    "connection refused",
    "network is unreachable",
    "name resolution",
    "name or service not known",
    "nodename nor servname",
    "network connectivity is disabled",
    "offlinemodeisenabled",
    "connectionerror",
    "newconnectionerror",
    "peer closed connection",
    "connection reset",
    "incompleteread",
    "incomplete read",
    "timed out",
    "read timeout",
)
_FULL_SIGNS = ("no space left", "os error 28", "errno 28", "quota exceeded")
_ALMOST_FULL_BYTES = 1 << 24
_TAIL_LINES = 12
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True, kw_only=True)
class Tools:
    """uv, and the lock that its children hold on."""

    uv: Path
    root: Path
    lock: int | None = None
    without: tuple[str, ...] = ()
    """Environment variables that uv is not to see."""

    def run(self, arguments: Sequence[str], purpose: str) -> None:
        """Run uv; where it fails, raise with what it said."""
        environment = child_environment(self.root, without=self.without)
        run_tool([str(self.uv), *arguments], purpose, self.root, environment, lock=self.lock)


def child_environment(root: Path, without: Sequence[str] = ()) -> dict[str, str]:
    """Return the environment of a tool: ours without what would lead its Python astray."""
    found = {key: value for key, value in os.environ.items() if key not in _SCRUBBED}
    for name, origin in _FROM_PIP.items():
        if value := os.environ.get(origin):
            # pip takes several links separated by spaces, uv by commas.
            found.setdefault(name, ",".join(value.split()) if name == "UV_FIND_LINKS" else value)
    found["UV_PYTHON_DOWNLOADS"] = "never"
    found.setdefault("UV_HTTP_TIMEOUT", "600")
    found.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    if not found.get("HOME"):
        found.setdefault("UV_CACHE_DIR", str(root / "venv" / ".cache"))
    return {key: value for key, value in found.items() if key not in without}


def base_python() -> Path:
    """Return the interpreter that environments stand on: never one of an environment itself."""
    return Path(getattr(sys, "_base_executable", None) or sys.executable)


def find_uv(root: Path, report: Report) -> Path:
    """Return the uv on the PATH, else one of our own, made where it is not there yet."""
    if found := shutil.which("uv"):
        return Path(found)
    folder = uv_directory(root)
    uv, stamp = folder / "bin" / "uv", folder / "complete"
    if uv.is_file() and stamp.is_file():
        return uv
    with exclusive(folder.with_name(".uv.lock"), "The build tool", report) as lock:
        if not stamp.is_file():
            shutil.rmtree(folder, ignore_errors=True)
            with step(report, "Installing the build tool uv, which this machine has not"):
                make_uv(folder, root, lock)
            stamp.touch()
    return uv


def make_uv(folder: Path, root: Path, lock: int) -> None:
    """Install uv into a virtual environment in `folder`; `lock` is the descriptor of the lock in use."""
    purpose = "The build tool uv could not be installed"
    python = str(folder / "bin" / "python")
    venv = [str(base_python()), "-I", "-m", "venv", str(folder)]
    run_tool(venv, purpose, root, child_environment(root), lock)
    install = [python, "-I", "-m", "pip", "install", "--quiet", _UV_REQUIREMENT]
    run_tool(install, purpose, root, child_environment(root), lock)


def run_tool(
    command: Sequence[str],
    purpose: str,
    folder: Path,
    environment: Mapping[str, str],
    lock: int | None = None,
) -> None:
    """Run a tool in `folder`; its words go to the terminal, or into the error where there is none."""
    with tempfile.TemporaryFile() as words:
        # On a terminal the tool draws its own progress; elsewhere its words are kept for the error.
        stderr = None if sys.stderr.isatty() else words
        try:
            ended = subprocess.run(
                command,
                check=False,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stderr or sys.stderr,
                stderr=stderr,
                pass_fds=() if lock is None else (lock,),
            )
        except OSError as error:
            message = f"{purpose}: {command[0]} cannot be run: {error.strerror}."
            raise MissingError(message) from error
        if ended.returncode:
            words.seek(0)
            said = _COLOURS.sub("", words.read().decode(errors="replace"))
            tail = said.strip().splitlines()[-_TAIL_LINES:]
            raise explain(purpose, ended.returncode, "\n".join(tail), shutil.disk_usage(folder).free)


def explain(purpose: str, code: int, tail: str, free: int) -> CpwError:
    """Turn a tool's failure into an error that says what to do."""
    lowered = tail.lower()
    said = f" It said:\n{tail}" if tail else ""
    if free < _ALMOST_FULL_BYTES or any(sign in lowered for sign in _FULL_SIGNS):
        message = f"{purpose}: no space is left on the disk.{said}"
        return DiskFullError(message, "Make room, then run the same command again.")
    if any(sign in lowered for sign in _OFFLINE_SIGNS):
        message = f"{purpose}: the network does not answer, or broke off.{said}"
        return TransientError(message, "Check the network, then run the same command again.")
    message = f"{purpose} (exit code {code}).{said}"
    return MissingError(message, "Mend what it names, then run the same command again.")
