"""Everything is killed in the middle of eight films; what was finished is not done again."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from tests.conftest import Figure
from tests.data import data
from tests.house import until
from tests.real_house import RealHouse

pytestmark = [pytest.mark.env("common", "whisperx"), pytest.mark.slow, pytest.mark.timeout(400)]

FILMS = 8
Steps = dict[tuple[str, str], tuple[str, int]]
"""Job and step to state and number of attempts."""


def cut_films(folder: Path) -> list[Path]:
    """Return eight films of 8 to 15 s, each another part of film_en.mp4."""
    source = str(data("film/film_en.mp4"))
    films = [folder / f"film {number}.mp4" for number in range(FILMS)]
    for number, film in enumerate(films):
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error"]
        command += ["-ss", str(number * 7), "-t", str(8 + number), "-i", source, "-c", "copy", str(film)]
        subprocess.run(command, check=True)
    return films


def steps_of(house: RealHouse) -> Steps:
    """Return all steps as the store has them."""
    with sqlite3.connect(house.folder / "state" / "jobs.sqlite") as store:
        rows = store.execute(
            "SELECT jobs.id, name, steps.state, attempt FROM steps JOIN jobs ON jobs.seq = steps.job"
        )
        return {(job, name): (state, attempt) for job, name, state, attempt in rows}


def kill_everything(house: RealHouse) -> int:
    """Kill every process of the house, the supervisor first; return how many there were."""
    found = []
    for process in psutil.process_iter():
        try:
            surroundings = process.environ()
        except psutil.Error:
            continue
        if str(house.runtime) in (surroundings.get("CPW_COOKIE"), surroundings.get("CPW_RUNTIME")):
            found.append(process)
    found.sort(key=lambda process: process.pid)
    for process in found:
        try:
            process.send_signal(signal.SIGKILL)
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(found, timeout=10)
    return len(found)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[RealHouse]:
    """Return a real house of this test's own: it is killed."""
    with RealHouse(tmp_path) as house:
        done = house.cpw("up")
        assert done.returncode == 0, done.stdout + done.stderr
        yield house


def test_after_everything_was_killed_only_what_ran_is_done_again(
    house: RealHouse, tmp_path: Path, figure: Figure
) -> None:
    films = cut_films(tmp_path)
    submitted = house.cpw(
        "submit", "--detach", "--json", "--workflow", "transcribe", *(str(film) for film in films)
    )
    assert submitted.returncode == 0, submitted.stderr
    jobs = [job["job"] for job in json.loads(submitted.stdout)["jobs"]]
    assert len(jobs) == FILMS

    def in_the_middle() -> bool:
        states = [state for state, _ in steps_of(house).values()]
        return states.count("done") >= 2 * FILMS and "running" in states

    until(in_the_middle, 120, "half of the steps are done")
    killed = kill_everything(house)
    assert killed >= 7
    before = steps_of(house)

    again = house.cpw("up")
    assert again.returncode == 0, again.stdout + again.stderr

    def all_ended() -> bool:
        return all(state in ("done", "skipped", "failed") for state, _ in steps_of(house).values())

    until(all_ended, 200, "all steps have ended")
    after = steps_of(house)
    running = {step for step, (state, _) in before.items() if state == "running"}
    redone = {step for step, (_, attempt) in after.items() if attempt > max(1, before[step][1])}
    done = sum(state == "done" for state, _ in before.values())
    figure(
        f"killed {killed} processes with {done} of {len(before)} steps done and {len(running)} running: "
        f"{len(redone)} done again"
    )
    assert {state for state, _ in after.values()} <= {"done", "skipped"}
    assert redone <= running
    reports = json.loads(house.cpw("status", "--json", *jobs).stdout)["jobs"]
    assert [report["state"] for report in reports] == ["done"] * FILMS
    assert all(Path(path).is_file() for report in reports for path in report["outputs"])
    assert not list(house.out.rglob("*.part"))
