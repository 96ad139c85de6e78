"""`cpw-submit` with addresses, as a person types it: real fetching, a running house with quick engines."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.film_server import FilmServer, film_server, make_film
from tests.house import ROOT, House, until

pytestmark = [pytest.mark.env("ytdlp"), pytest.mark.slow, pytest.mark.timeout(240)]

Done = subprocess.CompletedProcess[str]


class Shell:
    """Runs `cpw-submit` in a house whose environment `ytdlp` is this checkout's."""

    def __init__(self, house: House, folder: Path) -> None:
        self.house = house
        self.films = folder / "films"

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [self.house.home / "venv" / "common" / "bin" / "python", "-m", "clients.cli", "submit"]
        return subprocess.Popen(
            [*command, *words, "-w", "transcribe"],
            env=self.house.environ | {"CPW_FILMS": str(self.films), "CPW_OUT": str(self.house.out)},
            cwd=self.house.home,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *words: str) -> Done:
        with self.start(*words) as process:
            out, err = process.communicate(timeout=120)
        return subprocess.CompletedProcess(words, process.returncode, out, err)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("house")) as running:
        (running.home / "envspecs" / "ytdlp.toml").write_text((ROOT / "envspecs" / "ytdlp.toml").read_text())
        (running.home / "venv" / "ytdlp").symlink_to(os.path.realpath(ROOT / "venv" / "ytdlp"))
        running.start()
        yield running


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return make_film(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture
def server(film: bytes) -> Iterator[FilmServer]:
    with film_server(film) as films:
        yield films


@pytest.fixture
def shell(house: House, tmp_path: Path) -> Shell:
    return Shell(house, tmp_path)


def test_an_address_a_folder_and_a_file_are_one_submission(
    shell: Shell, server: FilmServer, tmp_path: Path, film: bytes
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.mp4").write_bytes(film + b"\0")
    (tmp_path / "b.mp4").write_bytes(film + b"\0\0")
    address = server.address("/page.html")
    done = shell.run(str(folder), address, str(tmp_path / "b.mp4"), "--allow-local", "--json")
    assert done.returncode == 0, done.stderr
    jobs = json.loads(done.stdout)["jobs"]
    assert [Path(job["media"]).name.partition(" [")[0] for job in jobs] == [
        "a.mp4",
        "A film of ours",
        "b.mp4",
    ]
    assert {job["state"] for job in jobs} == {"done"}
    facts = json.loads((Path(jobs[1]["directory"]) / "job.json").read_text())
    assert facts["title"] == "A film of ours"
    assert re.search(r"^A film of ours: \d+ % of 1 MB", done.stderr, re.MULTILINE)
    assert Path(jobs[1]["media"]).parent == shell.films

    again = shell.run(address, "--allow-local", "--detach", "--title", "Mine", "--json")
    assert again.returncode == 0, again.stderr
    job = json.loads(again.stdout)["jobs"][0]
    assert job["media"] == jobs[1]["media"]
    assert json.loads((Path(job["directory"]) / "job.json").read_text())["title"] == "Mine"
    assert "is there already" in again.stderr


def test_without_leave_this_machine_is_refused_and_nothing_is_submitted(
    shell: Shell, server: FilmServer
) -> None:
    done = shell.run(server.address("/film.mp4"), "--detach")
    assert done.returncode == 1
    assert done.stderr.startswith("error: http://127.0.0.1:")
    assert "is not a public address" in done.stderr
    assert server.asked == []


def test_each_film_of_a_list_is_a_job(shell: Shell, server: FilmServer) -> None:
    done = shell.run(server.address("/three.html"), "--allow-local", "--playlist", "--json")
    assert done.returncode == 0, done.stderr
    assert len({job["job"] for job in json.loads(done.stdout)["jobs"]}) == 3


def test_one_address_that_fails_does_not_keep_the_others_and_shows_in_the_exit_code(
    shell: Shell, server: FilmServer
) -> None:
    bad = server.address("/status/404/x.mp4")
    done = shell.run(server.address("/film.mp4"), bad, "--allow-local", "--detach", "--json")
    assert done.returncode == 1
    good, refused = json.loads(done.stdout)["jobs"]
    assert good["job"]
    assert (refused["media"], refused["state"], refused["error"]["kind"]) == (bad, "failed", "input")
    assert f"There is nothing at {bad}" in done.stderr


def test_a_dry_run_asks_the_site_and_fetches_nothing(shell: Shell, server: FilmServer) -> None:
    address = server.address("/page.html")
    done = shell.run(address, "--allow-local", "--dry-run", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["films"] == []
    assert [(film["address"], film["title"]) for film in report["to_fetch"]] == [(address, "A film of ours")]
    assert list(shell.films.iterdir()) == []
    words = shell.run(address, "--allow-local", "--dry-run")
    assert f"A film of ours: would be fetched from {address}" in words.stdout
    assert "nothing was submitted" in words.stdout


def test_ctrl_c_says_how_to_go_on_and_the_same_command_does(shell: Shell, server: FilmServer) -> None:
    address = server.address("/slow.mp4")
    with shell.start(address, "--allow-local", "--json") as process:
        until(lambda: any(path.stat().st_size for path in shell.films.glob("*.part")), what="a half")
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "the same command goes on where this one stopped" in said
    assert "Traceback" not in said
    there = next(shell.films.glob("*.part")).stat().st_size
    server.going_on.set()
    done = shell.run(address, "--allow-local", "--json")
    assert done.returncode == 0, done.stderr
    assert f"bytes={there}-" in server.ranges("/slow.mp4")
    assert Path(json.loads(done.stdout)["jobs"][0]["media"]).read_bytes() == server.film
