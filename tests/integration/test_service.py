"""A service in a real systemd, whose user instance has folders of its own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import ROOT, House, until

CPW = ROOT / "venv" / "common" / "bin" / "cpw"
SYSTEMD = Path("/lib/systemd/systemd")
pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not SYSTEMD.is_file(), reason="systemd is not installed"),
    pytest.mark.skipif(
        os.getuid() != 0 or shutil.which("unshare") is None,
        reason="only root can give systemd a /run/systemd of its own, without which it starts nowhere",
    ),
]

_BEGIN = """
mount --bind "$1" /run/systemd && mkdir -p /run/systemd/system && exec "$2" --user --log-target=null
"""


class Manager:
    """A user instance of systemd, in a mount namespace in which the machine seems to be booted by it."""

    def __init__(self, folder: Path, runtime: Path, house: House) -> None:
        self.environ = house.environ | {"XDG_RUNTIME_DIR": str(runtime), "XDG_CONFIG_HOME": str(folder)}
        (folder / "run").mkdir(parents=True)
        self.process = subprocess.Popen(
            ["unshare", "-m", "sh", "-c", _BEGIN, "sh", folder / "run", SYSTEMD],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def run(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command where this systemd can be asked."""
        inside = ["nsenter", f"--mount=/proc/{self.process.pid}/ns/mnt", f"--wd={ROOT}", *words]
        return subprocess.run(inside, env=self.environ, capture_output=True, text=True, check=False)

    def answers(self) -> bool:
        """Return whether it is up; fail where it has ended."""
        if self.process.poll() is not None:
            pytest.skip("no user instance of systemd can run here (its cgroups may not be writable)")
        return self.run("systemctl", "--user", "is-system-running").stdout.strip() in ("running", "degraded")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path, CPW_STATE=str(tmp_path / "the state")) as made:
        yield made


@pytest.fixture
def manager(tmp_path: Path, house: House) -> Iterator[Manager]:
    # Its sockets' paths are short; pytest's temporary folders are not.
    with tempfile.TemporaryDirectory(prefix="cpw-run-", dir="/tmp") as runtime:
        made = Manager(tmp_path / "config", Path(runtime), house)
        try:
            until(made.answers, 20, "systemd answers")
            yield made
        finally:
            made.run("systemctl", "--user", "stop", "cpw.service")
            made.process.send_signal(signal.SIGKILL)
            made.process.wait()


def test_a_service_is_installed_survives_a_crash_and_is_removed(house: House, manager: Manager) -> None:
    installed = manager.run(CPW, "service", "install")
    assert installed.returncode == 0, installed.stdout + installed.stderr
    assert "settings in it: CPW_HOME, CPW_HTTP, CPW_RUNTIME, CPW_SETUP, CPW_STATE\n" in installed.stdout
    until(lambda: (report := house.health()) is not None and report.healthy, 30, "healthy")
    shown = manager.run(CPW, "service", "status")
    assert (shown.returncode, "state: active" in shown.stdout) == (0, True), shown.stdout + shown.stderr
    assert manager.run(CPW, "service", "install").returncode == 0
    job = house.submit()
    assert house.ended(job).state == "done"

    pid = house.supervisor_state()["pid"]
    os.kill(pid, signal.SIGKILL)
    until(lambda: house.health() is not None and house.supervisor_state()["pid"] != pid, 30, "restarted")

    removed = manager.run(CPW, "service", "remove")
    assert removed.returncode == 0, removed.stdout + removed.stderr
    assert not house.processes()
    assert "not installed" in manager.run(CPW, "service", "status").stdout
    log = (Path(house.environ["CPW_STATE"]) / "logs" / "supervisor.log").read_text()
    assert "told to stop (signal 15)" in log
    assert manager.run(CPW, "service", "remove").stdout == "not installed\n"


def test_without_a_service_manager_the_foreground_command_is_named(house: House) -> None:
    if Path("/run/systemd/system").is_dir():
        pytest.skip("systemd runs here")
    refused = subprocess.run(
        [CPW, "service", "install"], env=house.environ, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 4
    assert "up --foreground" in refused.stderr
