"""Eight films through the house against a bare loop of the same calls and against the whisperx command line.

`make bench-batch` measures all three in turns: the house, which also writes subtitles and films, may take as
long as the loop (models warm in both), and 0.6 of the time of `whisperx f1 ... f8 --no_align`.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import envspecs
from envspecs.models.registry import model_path
from tests.bench.figures import Sheet, skip
from tests.bench.other_sound import Sounds, ffmpeg
from tests.data import DATA, ROOT
from tests.real_house import RealHouse
from tests.whisperx_command import MODEL, whisperx_seconds

ROUNDS = 3
LOOP_LIMIT = 1.0
ALONE_LIMIT = 0.6
# Of which film, from which second, how many seconds.
CUTS = (
    ("film_en", 0, 15),
    ("film_de", 0, 20),
    ("film_en", 20, 25),
    ("film_de", 10, 18),
    ("film_en", 5, 60),
    ("film_en", 30, 35),
)


def eight_films(sounds: Sounds) -> list[Path]:
    """Lay out the eight films; no other round has their sound."""
    cuts = [("film_en", 0, 0), ("film_de", 0, 0), *CUTS]
    return [sounds.other(film_of(name), start_s=start, length_s=length) for name, start, length in cuts]


def film_of(name: str) -> Path:
    """Return a film of the test data."""
    return DATA / "film" / f"{name}.mp4"


def bare_loop(films: list[Path], folder: Path) -> float:
    """Return the seconds of a loop in one process of the whisperx environment, models loaded before."""
    python = envspecs.venv_path("whisperx") / "bin" / "python"
    models = model_path(MODEL).parent
    command = [python, "-m", "tests.bench.peers.bare_loop", ffmpeg(), models, folder, *films]
    environment = dict(os.environ, HF_HUB_OFFLINE="1")
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return float(done.stdout.split()[-1])


def take_turns(house: RealHouse, folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Return the seconds of house, loop and command, round by round."""
    sounds = Sounds(folder / "films")
    houses, loops, commands = [], [], []
    for number in range(ROUNDS):
        films = eight_films(sounds)
        houses.append(house.subtitled(*map(str, films))[0])
        loops.append(bare_loop(films, folder / f"loop {number}"))
        commands.append(whisperx_seconds(films, folder / f"alone {number}"))
    return houses, loops, commands


def main() -> int:
    """Measure, print, judge."""
    if not all(film_of(name).exists() for name, _, _ in CUTS):
        return skip(f"the films are not in {DATA}/film")
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name)) as house:
        house.up()
        houses, loops, commands = take_turns(house, Path(name))
    sheet = Sheet("make bench-batch")
    sheet.add("eight films against a bare loop of the same calls", houses, loops, limit=LOOP_LIMIT)
    sheet.add("eight films against whisperx --no_align", houses, commands, limit=ALONE_LIMIT)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
