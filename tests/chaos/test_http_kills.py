"""The HTTP server killed in an upload, in a save and in a stream: nothing is half, no job is lost."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from protocol.schema import from_json
from protocol.subtitles.corrections import CORRECTIONS, Corrections
from protocol.supervisor import HTTP
from tests.house import REAL_COMMON_STAGES, House, until
from tests.http_house import HttpHouse
from tests.job_folders import make_film

pytestmark = [pytest.mark.integration, pytest.mark.chaos]

_SAVES = 3


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpHouse]:
    """Return a house with its server, which is killed again and again."""
    path = tmp_path_factory.mktemp("http-kills")
    with House(path, common=REAL_COMMON_STAGES, CPW_HTTP="127.0.0.1:0") as house:
        house.start()
        yield HttpHouse(house)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return a film of two seconds."""
    return make_film(tmp_path_factory.mktemp("films") / "Film.mkv", seconds=2).read_bytes()


def kill(server: HttpHouse) -> None:
    """Kill the server's process and wait until the supervisor has started the next one, which answers."""
    child = server.house.supervisor_state()["children"][HTTP]
    restarts = child["restarts"]
    for process in server.house.processes():
        if (
            process.cmdline()[-1:] == ["clients.api"]
            and "envspecs.processes.guardian" not in process.cmdline()
        ):
            os.kill(process.pid, signal.SIGKILL)
    until(lambda: _answers(server, restarts), 30, "the server answers again")


def _answers(server: HttpHouse, restarts: int) -> bool:
    if server.house.supervisor_state()["children"][HTTP]["restarts"] <= restarts:
        return False
    try:
        return server.ask("GET", "/api/jobs").status == 200
    except (OSError, http.client.HTTPException):
        return False


def uploads(server: HttpHouse) -> list[Path]:
    return [path for path in (server.house.home / "out" / "uploads").rglob("*") if path.is_file()]


def test_a_kill_in_an_upload_leaves_no_film_and_the_next_server_takes_it_whole(server: HttpHouse) -> None:
    host, _, port = server.netloc.rpartition(":")
    film = b"x" * 3_000_000
    with socket.create_connection((host, int(port)), timeout=30) as line:
        head = f"PUT /api/films/half.mkv HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(film)}\r\n"
        line.sendall(f"{head}Authorization: Bearer {server.keys.token}\r\n\r\n".encode() + film[:2_000_000])
        until(lambda: uploads(server), what="the upload has begun")
        kill(server)
    assert uploads(server) == [], "the next server has cleaned up"
    answer = server.ask("PUT", "/api/films/half.mkv", film)
    assert answer.status == 201
    assert [path.stat().st_size for path in uploads(server)] == [len(film)]


def test_a_kill_in_a_save_leaves_the_old_file_or_the_new_one_whole(server: HttpHouse, film: bytes) -> None:
    report = server.house.ended(server.house.submit(film))
    path = Path(report.directory) / CORRECTIONS
    base, saved = "", 0
    for number in range(_SAVES):
        cue = {"start_ms": 1_000 + number, "end_ms": 1_900, "text": "x" * 50_000}
        body = {"language": "de", "base": base, "changes": [{"old": [], "new": [cue]}]}
        answered = _save_and_kill(server, report.job, body, number)
        whole = from_json(Corrections, path.read_bytes()) if path.exists() else Corrections()
        assert len(whole.changes) in (saved, saved + 1), "one save, or none"
        assert not answered or len(whole.changes) == saved + 1, "what was answered is on the disk"
        saved = len(whole.changes)
        server.house.ended(report.job)
        base = server.ask("GET", f"/api/jobs/{report.job}/review").json["base"]
    assert server.house.job(report.job).state == "done"


def _save_and_kill(server: HttpHouse, job: str, body: dict[str, Any], number: int) -> bool:
    """Send a save; kill the server at another moment each time. Return whether it was answered."""
    connection = server.connection()
    data = json.dumps(body).encode()
    headers = server.bearer | {"Content-Type": "application/json"}
    try:
        connection.request("POST", f"/api/jobs/{job}/corrections", data, headers)
        connection.sock.settimeout(0.01 * number + 0.001)
        try:
            answered = connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            answered = False
        kill(server)
    finally:
        connection.close()
    return answered


def test_a_stream_that_was_cut_off_goes_on_where_it_was(server: HttpHouse, film: bytes) -> None:
    before = _events(server, None, 1)
    revision = before[-1]["id"]
    jobs = [server.house.submit(film, workflow="transcribe") for _ in range(3)]
    kill(server)
    for job in jobs:
        server.house.ended(job)
    told = _events(server, revision, 3)
    assert [json.loads(event["data"])["job"] for event in told] == jobs


def _events(server: HttpHouse, after: str | None, count: int) -> list[dict[str, str]]:
    """Return the first events of a stream."""
    connection = server.connection()
    headers = server.bearer | ({"Last-Event-ID": after} if after else {})
    connection.request("GET", "/api/events", headers=headers)
    answer = connection.getresponse()
    found: list[dict[str, str]] = []
    event: dict[str, str] = {}
    while len(found) < count:
        line = answer.readline().decode().rstrip("\n")
        if not line:
            if "event" in event:
                found.append(event)
            event = {}
            continue
        name, _, value = line.partition(": ")
        event[name] = value
    connection.close()
    return found


def test_no_job_is_lost_by_any_of_it(server: HttpHouse) -> None:
    listed = server.ask("GET", "/api/jobs?limit=1000").json["jobs"]
    assert {report["state"] for report in listed} == {"done"}
