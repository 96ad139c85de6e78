"""A house of a cluster: real supervisor, real Ray, engines as a test wants, two of them on one machine."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import venv
from pathlib import Path

import psutil

from envspecs.layout import CLUSTER, lock_path, specs_directory
from tests.house import ROOT, House

__all__ = ["ClusterHouse", "free_port", "mentions"]


def free_port(first: int = 0) -> int:
    """Return a port that nobody uses, from `first` on, below those that the system gives out by itself."""
    for port in range(first or 12_000 + os.getpid() % 7_000, 20_000):
        with socket.socket() as trial:
            try:
                trial.bind(("0.0.0.0", port))
            except OSError:
                continue
            return port
    raise AssertionError("no free port")


def mentions(word: str, *programs: str) -> list[psutil.Process]:
    """Return every living process whose command line or variables name `word`, and that runs such a program.

    A program is known by a part of its command line; without any named, every process counts.
    """
    found = []
    for process in psutil.process_iter():
        try:
            line = " ".join(process.cmdline())
            told = line + " ".join(process.environ().values())
            wanted = not programs or any(program in line for program in programs)
            if wanted and word in told and process.pid != os.getpid() and process.is_running():
                found += [process] if process.status() != psutil.STATUS_ZOMBIE else []
        except psutil.Error:
            continue
    return found


class ClusterHouse(House):
    """A house with the packages of this checkout's environment `cluster`, told by commands what to do."""

    command_s = 100.0
    """How long a command may take."""

    def __init__(self, tmp_path: Path, **environment: str) -> None:
        super().__init__(tmp_path, CPW_OUT=str(tmp_path / "out"), CPW_SETUP="off", **environment)
        specs = self.home / "envspecs"
        shutil.copy(specs_directory(ROOT) / f"{CLUSTER}.toml", specs)
        (specs / "locks").mkdir(exist_ok=True)
        shutil.copy(lock_path(CLUSTER, ROOT), specs / "locks")
        place = self.home / "venv" / ".builds" / CLUSTER
        venv.create(place, symlinks=True, with_pip=False)
        packages = next((ROOT / "venv" / CLUSTER).glob("lib/python*/site-packages"))
        site = next(place.glob("lib/python*/site-packages"))
        (site / "house.pth").write_text(f"{ROOT}\n{packages}\n")
        (self.home / "venv" / CLUSTER).symlink_to(place)
        self.add_environment_marker(CLUSTER)
        self.state = self.home / "state"
        self.token = self.state / CLUSTER / "token"

    def cpw(self, *words: str, stdin: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `cpw` without a terminal."""
        python = self.home / "venv" / "common" / "bin" / "python"
        return subprocess.run(
            [python, "-I", "-m", "clients.cli", *words],
            env=self.environ | environment,
            cwd=self.home,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=self.command_s,
            check=False,
        )

    def begin(self, *words: str) -> subprocess.Popen[str]:
        """Start `cpw` without a terminal, as a process that takes Ctrl-C, and do not wait for it."""
        python = self.home / "venv" / "common" / "bin" / "python"
        # A shell's background job, as these tests may be, ignores Ctrl-C, and so would what it starts.
        code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        code += "from clients.cli.entry import main; main()"
        return subprocess.Popen(
            [python, "-I", "-c", code, *words],
            env=self.environ,
            cwd=self.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def told(self, *words: str, **environment: str) -> str:
        """Run `cpw`, which succeeds, and return what it wrote to stdout."""
        done = self.cpw(*words, **environment)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def __exit__(self, *_: object) -> None:
        self.cpw("down")
        for process in mentions(str(self.runtime)):
            process.kill()
        shutil.rmtree(self.runtime, ignore_errors=True)

    def child(self, name: str) -> int | None:
        """Return the process group of a child as the supervisor wrote it down."""
        child = self.supervisor_state()["children"].get(name)
        return child["pid"] if child is not None else None
