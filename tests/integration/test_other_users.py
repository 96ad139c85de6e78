"""Another user of the machine cannot connect, list or submit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import ROOT, House

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(os.getuid() != 0, reason="only root can be a second user for a moment"),
]

_OTHER_UID = 65_534
_ASK = """
import sys, zmq
socket = zmq.Context().socket(zmq.DEALER)
socket.linger = 0
socket.connect("ipc://" + sys.argv[1])
import msgpack
head = msgpack.packb({"request": "r"})
for kind, body in (("StatusQuery", {}), ("HealthQuery", {}), ("Submit", {
        "media": sys.argv[2], "workflow": "transcribe", "user": "mallory", "out": sys.argv[3]})):
    socket.send_multipart([b"CPW", b"1", kind.encode(), head, msgpack.packb(body)])
print("ANSWERED" if socket.poll(1500) else "SILENCE")
"""


def _ask_as(uid: int, house: House) -> str:
    media = house.home / "Film.mkv"
    media.write_bytes(b"film")
    # A second user would have an interpreter of his own; here he borrows ours, which root's home hides.
    code = f"import os; os.setgid({uid}); os.setuid({uid})\n{_ASK}" if uid else _ASK
    lines = code.replace("import os; ", "import zmq, msgpack, os; ", 1) if uid else code
    done = subprocess.run(
        [sys.executable, "-c", lines, str(house.runtime / "c"), str(media), str(house.out)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=20,
        check=True,
    )
    return done.stdout.strip()


def test_the_owner_is_answered(house: House) -> None:
    assert _ask_as(0, house) == "ANSWERED"


def test_the_directory_keeps_a_second_user_out(house: House) -> None:
    assert house.runtime.stat().st_mode & 0o777 == 0o700
    assert _ask_as(_OTHER_UID, house) == "SILENCE"


def test_the_socket_keeps_a_second_user_out_where_the_directory_lets_him_in(house: House) -> None:
    house.runtime.chmod(0o755)
    for name in ("w", "c"):
        (house.runtime / name).chmod(0o777)
    assert _ask_as(_OTHER_UID, house) == "SILENCE"
    assert not list(Path(house.out).glob("**/job.json"))
    assert _ask_as(0, house) == "ANSWERED"
