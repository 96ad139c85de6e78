"""A house that a service manager keeps: in the foreground, after a reboot, closed to other users."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.house import ROOT, House, until

pytestmark = pytest.mark.integration

CPW = ROOT / "venv" / "common" / "bin" / "cpw"


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_in_the_foreground_a_manager_is_told_and_ctrl_c_stops_everything_in_order(
    tmp_path: Path, end: signal.Signals
) -> None:
    with (
        House(tmp_path, CPW_STATE=str(tmp_path / "state")) as house,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
    ):
        address = house.runtime.with_suffix(".notify")
        manager.bind(str(address))
        manager.settimeout(60)
        environ = house.environ | {"NOTIFY_SOCKET": str(address)}
        with subprocess.Popen(
            [CPW, "up", "--foreground"], env=environ, stderr=subprocess.PIPE, text=True
        ) as process:
            assert manager.recv(100) == b"READY=1"
            assert house.supervisor_state()["pid"] == process.pid
            os.kill(process.pid, end)
            _, said = process.communicate(timeout=30)
        assert process.returncode == 0
        assert manager.recv(100) == b"STOPPING=1"
        assert "started coordinator" in said
        assert "Traceback" not in said
        log = (tmp_path / "state" / "logs" / "supervisor.log").read_text()
        assert f"told to stop (signal {end})" in log
        assert not house.processes()
        address.unlink()


def test_a_second_house_in_the_foreground_is_refused(house: House) -> None:
    done = subprocess.run(
        [CPW, "up", "--foreground"], check=False, env=house.environ, capture_output=True, text=True
    )
    assert house.supervisor is not None
    assert (done.returncode, done.stderr) == (
        2,
        f"error: The supervisor is already running, process {house.supervisor.pid}.\n  try: cpw down\n",
    )


def test_after_a_reboot_what_was_running_goes_on(house: House, tmp_path: Path) -> None:
    release = tmp_path / "release"
    job = house.submit(parameters={"asr": {"initial_prompt": f"until:{release}"}})
    until(lambda: {s.name: s.state for s in house.job(job).steps}["asr"] == "running", what="asr runs")

    assert house.supervisor is not None
    house.supervisor.kill()
    for process in house.processes():
        process.kill()
    house.supervisor.wait()
    shutil.rmtree(house.runtime)
    release.touch()
    house.start()

    assert house.ended(job).state == "done"


def _open_to_others(folder: Path) -> list[str]:
    return [
        f"{path} {stat.filemode(path.lstat().st_mode)}"
        for path in (folder, *folder.rglob("*"))
        if not path.is_symlink() and path.lstat().st_mode & 0o077
    ]


def test_state_logs_jobs_and_transcripts_are_the_owners_alone(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "logs").mkdir(parents=True)
    state.chmod(0o755)
    with House(tmp_path, CPW_STATE=str(state)) as house:
        house.start()
        assert house.ended(house.submit()).state == "done"
        assert _open_to_others(state) == []
        assert _open_to_others(house.out) == []
        assert f"{state} was open to others: modes changed" in (state / "logs" / "supervisor.log").read_text()
