"""What the HTTP server costs: a film sent to it, a long list, a change on its way, a stretch heard again.

`make bench-http` sends a film of 600 MB, and compares it with a loop that takes the same bytes from a socket.
It asks for the newest jobs where the store has 10,000, takes the time from a commit until a page is told, and
has five seconds of film_en recognised again, against what the worker's own calls took.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from clients.api.door.keys import read_keys
from coordinator.plan import PlannedStep
from coordinator.store.store import Store
from protocol.endpoints import http_address_file
from protocol.messages import Submit
from tests.bench.figures import Sheet
from tests.data import data
from tests.house import House, until
from tests.http_house import HttpHouse
from tests.real_house import RealHouse
from tests.rss import Watch

FILM_MB = 600
MEMORY_LIMIT_MB = 60.0
UPLOAD_LIMIT = 2.0
"""Against a loop that does the same without HTTP."""
JOBS = 10_000
LIST_LIMIT_MS = 200.0
CHANGE_LIMIT_MS = 300.0
AGAIN_LIMIT = 1.5
ROUNDS = 3
_MEGABYTE = bytes(range(256)) * 4096


def megabytes(count: int) -> Iterator[bytes]:
    """Yield a film's bytes."""
    for number in range(count):
        yield number.to_bytes(4, "big") + _MEGABYTE[4:]


def bare_s(folder: Path) -> float:
    """Return how long it takes to take the same bytes from a socket, hash them and write them."""
    path = folder / "bare.part"
    digest = hashlib.sha256()
    near, far = socket.socketpair()

    def send() -> None:
        for part in megabytes(FILM_MB):
            far.sendall(part)
        far.close()

    begun = time.monotonic()
    sender = threading.Thread(target=send)
    sender.start()
    with near, path.open("wb") as file:
        while part := near.recv(1 << 16):
            digest.update(part)
            file.write(part)
        file.flush()
        os.fsync(file.fileno())
    sender.join()
    taken = time.monotonic() - begun
    path.unlink()
    return taken


def upload_s(server: HttpHouse, name: str) -> float:
    """Return how long the server takes for the film."""
    connection = server.connection(timeout_s=300)
    headers = server.bearer | {"Content-Length": str(FILM_MB << 20)}
    begun = time.monotonic()
    connection.request("PUT", f"/api/films/{name}", megabytes(FILM_MB), headers)
    answer = connection.getresponse()
    assert answer.status == 201, answer.read()
    taken = time.monotonic() - begun
    connection.close()
    return taken


def server_pid(server: HttpHouse) -> int:
    """Return the server's own process; the supervisor knows its guardian."""
    found = {process.pid: process.cmdline() for process in server.house.processes()}
    return next(
        pid
        for pid, words in found.items()
        if words[-1:] == ["clients.api"] and "envspecs.processes.guardian" not in words
    )


def uploads(server: HttpHouse, sheet: Sheet) -> None:
    """Measure uploads against the bare loop, and the server's memory."""
    pid = server_pid(server)
    ours, bare = [], []
    with Watch(pid) as watch:
        for number in range(ROUNDS):
            bare.append(bare_s(server.house.home))
            ours.append(upload_s(server, f"film{number}.mkv"))
    sheet.add(f"a film of {FILM_MB} MB sent", ours, bare, limit=UPLOAD_LIMIT)
    files = [path for path in (server.house.home / "out" / "uploads").rglob("*") if path.is_file()]
    assert len(files) == 1, "the same bytes are one file"
    sheet.add("the server's memory meanwhile", [watch.highest / 1e6], limit=MEMORY_LIMIT_MB, unit="MB")


def fill(house: House) -> None:
    """Put jobs that are done into the store, before anything runs."""
    store = Store(house.home / "state" / "jobs.sqlite")
    steps = [
        PlannedStep(name=name, stage=name, environment="common", target=None, needs=(), after=())
        for name in ("demux", "asr", "align", "clean")
    ]
    with store.transaction():
        for number in range(JOBS):
            job = f"job-20260101-tester-{number:05d}"
            submit = Submit(media=f"/films/{number}.mkv", workflow="transcribe", user="tester", out="/out")
            store.add_job(job, submit, Path("/out") / job, steps, [])
            row = store.job(job)
            assert row is not None
            store.set_states(row.seq, {step.name: "done" for step in steps})
            store.set_job_state(row.seq, "done", 1_000)
    store.close()


def first_byte_ms(server: HttpHouse) -> float:
    """Return how long until the first byte of the newest jobs comes."""
    connection = server.connection()
    begun = time.monotonic()
    connection.request("GET", "/api/jobs", headers=server.bearer)
    answer = connection.getresponse()
    assert answer.read(1) == b"{"
    taken = 1000 * (time.monotonic() - begun)
    connection.close()
    return taken


def change_ms(server: HttpHouse, events: Any) -> float:
    """Return how long after its commit a page is told of a job."""
    job = server.house.submit(workflow="transcribe", hold=True)
    begun = time.monotonic()
    while True:
        line = events.readline().decode()
        if line.startswith("data: ") and f'"{job}"' in line:
            return 1000 * (time.monotonic() - begun)


def changes(server: HttpHouse, sheet: Sheet) -> None:
    """Measure the list of jobs, and changes on their way."""
    sheet.add(
        f"the first byte of the newest of {JOBS} jobs",
        [first_byte_ms(server) for _ in range(10 * ROUNDS)],
        limit=LIST_LIMIT_MS,
        unit="ms",
    )
    connection = server.connection()
    connection.request("GET", "/api/events", headers=server.bearer)
    events = connection.getresponse()
    until(lambda: b"event: hello" in events.readline(), what="the stream goes")
    told = [change_ms(server, events) for _ in range(10 * ROUNDS)]
    connection.close()
    sheet.add("from a commit until a page is told", told, limit=CHANGE_LIMIT_MS, unit="ms")


@contextmanager
def asking(house: RealHouse) -> Iterator[Any]:
    """Yield what asks the server of a house: method, path, body to the answer's document."""
    address = until(lambda: http_address_file(house.runtime).read_text().strip(), what="an address")
    keys = read_keys(house.folder / "state")
    headers = {"Authorization": f"Bearer {keys.token}", "Content-Type": "application/json"}

    def ask(method: str, path: str, body: Any = None) -> Any:
        connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=120)
        connection.request(method, path, json.dumps(body).encode() if body else None, headers)
        answer = connection.getresponse()
        found = json.loads(answer.read())
        assert answer.status == 200, found
        connection.close()
        return found

    yield ask


def again(sheet: Sheet) -> None:
    """Measure five seconds of film_en that are recognised again."""
    ours, calls = [], []
    film = str(data("film/film_en.mp4"))
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name), CPW_HTTP="127.0.0.1:0") as house:
        house.up()
        _, jobs = house.subtitled(film, "--source-language", "en")
        job = jobs[0]["job"]
        with asking(house) as ask:
            for number in range(2 * ROUNDS):
                wanted = {"start_ms": 16_000 + 100 * number, "end_ms": 21_000 + 100 * number}
                begun = time.monotonic()
                found = ask("POST", f"/api/jobs/{job}/again", wanted)
                ours.append(1000 * (time.monotonic() - begun))
                assert found["segments"], "something is said there"
                trial = ask("GET", f"/api/jobs/{job}-trial-{number + 1}")["jobs"][0]
                calls.append(float(sum(step["duration_ms"] for step in trial["steps"])))
    sheet.add("five seconds heard again, against the worker's calls (ms)", ours, calls, limit=AGAIN_LIMIT)


def main() -> int:
    """Measure, print, judge."""
    sheet = Sheet("make bench-http")
    with tempfile.TemporaryDirectory() as name, HttpHouse.started(Path(name)) as server:
        uploads(server, sheet)
    with tempfile.TemporaryDirectory() as name, House(Path(name), CPW_HTTP="127.0.0.1:0") as house:
        fill(house)
        house.start()
        changes(HttpHouse(house), sheet)
    again(sheet)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
