"""Eight films through the house against a bare loop of the same calls and against the whisperx command line.

`make bench-batch` prints the three times and both ratios: the house, which also writes subtitles and films,
may take 1.10 times as long as the loop (models warm in both), and less than `whisperx f1 ... f8 --no_align`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import imageio_ffmpeg

import envspecs
from envspecs.models.registry import model_path
from tests.bench.other_sound import copy_with_other_sound
from tests.data import DATA, ROOT
from tests.real_house import RealHouse
from tests.whisperx_command import MODEL, whisperx_seconds

ROUNDS = 2
LOOP_LIMIT = 1.10
ALONE_LIMIT = 1.0
# Of which film, from which second, how many seconds.
CUTS = (
    ("film_en", 0, 15),
    ("film_de", 0, 20),
    ("film_en", 20, 25),
    ("film_de", 10, 18),
    ("film_en", 5, 60),
    ("film_en", 30, 35),
)


def films_in(folder: Path, ffmpeg: str) -> list[Path]:
    """Lay out the eight films; copies of streams, so that nothing is encoded."""
    films = []
    for name in ("film_en", "film_de"):
        films.append(folder / f"{name}.mp4")
        shutil.copy(DATA / "film" / f"{name}.mp4", films[-1])
    for number, (name, start_s, length_s) in enumerate(CUTS):
        films.append(folder / f"cut {number}.mp4")
        source = str(DATA / "film" / f"{name}.mp4")
        command = [ffmpeg, "-nostdin", "-loglevel", "error", "-ss", str(start_s), "-t", str(length_s)]
        subprocess.run([*command, "-i", source, "-c", "copy", str(films[-1])], check=True)
    return films


def bare_loop(films: list[Path], folder: Path, ffmpeg: str) -> float:
    """Return the seconds of a loop in one process of the whisperx environment, models loaded before."""
    python = envspecs.venv_path("whisperx") / "bin" / "python"
    models = model_path(MODEL).parent
    command = [python, "-m", "tests.bench.bare_loop", ffmpeg, models, folder, *films]
    environment = dict(os.environ, HF_HUB_OFFLINE="1")
    done = subprocess.run(
        command, cwd=ROOT, env=environment, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    return float(done.stdout.split()[-1])


def through_the_house(house: RealHouse, films: list[Path]) -> float:
    """Return the seconds from submit to the last film's end, the house being up."""
    begun = time.monotonic()
    code, jobs, said = house.submit(*map(str, films), "--workflow", "subtitle", "--again")
    took = time.monotonic() - begun
    assert code == 0, said
    assert len(jobs) == len(films)
    return took


def take_turns(films: list[Path], folder: Path, ffmpeg: str) -> tuple[float, float]:
    """Return the best times of house and loop; they take turns, for a machine has its moods."""
    houses, loops = [], []
    with RealHouse(folder) as house:
        up = house.cpw("up")
        assert up.returncode == 0, up.stderr
        for number in range(ROUNDS):
            again = [
                copy_with_other_sound(ffmpeg, film, film.with_stem(f"{film.stem} {number}"), number + 1)
                for film in films
            ]
            houses.append(through_the_house(house, again))
            loops.append(bare_loop(again, folder / f"loop {number}", ffmpeg))
    return min(houses), min(loops)


def main() -> int:
    """Measure, print, judge."""
    if not all((DATA / "film" / f"{name}.mp4").exists() for name, _, _ in CUTS):
        sys.stdout.write(f"not measured: the films are not in {DATA}/film\n")
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "films").mkdir()
        ffmpeg = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
        films = films_in(folder / "films", ffmpeg)
        house, loop = take_turns(films, folder, ffmpeg)
        alone = whisperx_seconds(films, folder)
    sys.stdout.write(
        f"{len(films)} films through the house: {house:.1f} s\n"
        f"bare loop of the same calls: {loop:.1f} s, ratio {house / loop:.2f} (limit {LOOP_LIMIT})\n"
        f"whisperx --no_align: {alone:.1f} s, ratio {house / alone:.2f} (limit {ALONE_LIMIT})\n"
    )
    return 0 if house <= LOOP_LIMIT * loop and house < ALONE_LIMIT * alone else 1


if __name__ == "__main__":
    sys.exit(main())
