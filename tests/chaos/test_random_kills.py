"""Any process of the house is killed at any moment, again and again, while films are coming in."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.chaos.disturbed import Tended
from tests.chaos.stream import Stream, finish, work_on
from tests.conftest import Figure

pytestmark = pytest.mark.chaos

_SEED = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
_PAUSE_S = 1.2


def kill_somebody(house: Tended, chance: random.Random) -> str:
    """Kill one process of the house and return what it was."""
    try:
        # The supervisor carries no cookie: it is the one who gives it to the others.
        supervisor = [psutil.Process(house.supervisor.pid)] if house.supervisor else []
        victim = chance.choice(sorted([*supervisor, *house.processes()], key=lambda process: process.pid))
        if victim.status() == psutil.STATUS_ZOMBIE:
            return ""
        words = victim.cmdline()
        victim.send_signal(signal.SIGKILL)
    except (psutil.NoSuchProcess, IndexError):
        return ""
    names = {"envspecs.processes.guardian": "guardian", "coordinator": "coordinator", "workers": "worker"}
    return next((name for module, name in names.items() if module in words), "supervisor")


def disturb(house: Tended, kills: int, figure: Figure) -> None:
    """Kill as often, then wait for the end of every job and look whether anything is missing."""
    chance = random.Random(_SEED)
    killed: Counter[str] = Counter()
    begun_s = time.monotonic()
    house.be_healthy()
    stream = Stream(house)
    while killed.total() < kills:
        work_on(house, stream, chance.uniform(0, _PAUSE_S))
        if victim := kill_somebody(house, chance):
            killed[victim] += 1
    stream.complete(house)
    resumed = finish(house, house, len(stream.films))
    took_s = time.monotonic() - begun_s
    house.stop_tended()

    wrong = [film.name for film, folder in outputs(house) if not is_right(film, folder)]
    lost = len(stream.films) - len({film for film, _ in outputs(house)})
    doubled = house.job_count() - len(stream.films)
    whom = ", ".join(f"{number} {name}" for name, number in sorted(killed.items()))
    figure(
        f"random kills (SEED={_SEED}): {killed.total()} ({whom}), {len(stream.films)} jobs, {took_s:.0f} s: "
        f"{lost} lost, {doubled} duplicated, {len(wrong)} unequal; {resumed} resumed by hand, "
        f"{house.revived} environments revived by hand"
    )
    assert (lost, doubled, wrong) == (0, 0, [])
    assert {state for _, _, state in house.step_states()} == {"done"}
    assert house.left_over() == []


def outputs(house: Tended) -> list[tuple[Path, Path]]:
    """Return the film and the folder of every job in the store."""
    return [(Path(media), Path(folder)) for folder, media in house.folders_and_films()]


def is_right(film: Path, folder: Path) -> bool:
    """Return whether the job's sound and film are what quick engines make of this film."""
    made = folder / "12_mux" / f"{film.stem}_subtitled.mkv"
    return made.read_bytes() == film.read_bytes() + b"de" and (
        (folder / "01_demux" / "audio.wav").read_bytes() == film.read_bytes()
    )


@pytest.fixture
def house(tmp_path: Path) -> Iterator[Tended]:
    """Return a house that somebody looks after."""
    print(f"SEED={_SEED}", flush=True)  # noqa: T201 (first of all: what is needed to do it again)
    with Tended(tmp_path) as built:
        yield built


@pytest.mark.timeout(180)
def test_nothing_is_lost_under_a_dozen_random_kills(house: Tended, figure: Figure) -> None:
    disturb(house, 12, figure)


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_nothing_is_lost_under_three_hundred_random_kills(house: Tended, figure: Figure) -> None:
    disturb(house, 300, figure)
