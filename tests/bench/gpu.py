"""The comparison of `make bench-film` on an NVIDIA GPU, and a film on two GPUs against one.

`make bench-gpu` needs a GPU that the environment whisperx can use. Both sides compute with float16: the house
by its own choice, faster-whisper's batched pipeline with batches of 16. Where there are two GPUs, a film of
nine minutes goes through a house that sees both and through one that sees the first alone. Without a GPU it
says so, and succeeds. Nobody has run it on a GPU yet: its limit against the peer is that on a processor.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import envspecs
from envspecs.hardware import detect
from tests.bench import film
from tests.bench.figures import Sheet, skip
from tests.bench.other_sound import Sounds
from tests.real_house import RealHouse

TWO_LIMIT = 0.7
"""Half of the time, and a fifth of the whole for what is done once."""
_COUNT = "import ctranslate2; print(ctranslate2.get_cuda_device_count())"


def lacking(gpus: int) -> str:
    """Return what is missing on a machine with so many GPUs, as a sentence; empty where nothing is."""
    if not gpus:
        return "this machine has no NVIDIA GPU that its driver shows (nvidia-smi)"
    if not envspecs.is_built(envspecs.read("whisperx")):
        return "the environment whisperx is not built: make build"
    if not film.FILM.exists():
        return f"{film.FILM} is not there"
    command = [envspecs.interpreter("whisperx"), "-c", _COUNT]
    counted = subprocess.run(command, capture_output=True, text=True, check=False)
    if counted.returncode != 0 or counted.stdout.strip() == "0":
        return "CTranslate2 in the environment whisperx finds no GPU that it can use"
    return ""


def against_faster_whisper(folder: Path, sheet: Sheet) -> None:
    """Measure both films against the peer."""
    with RealHouse(folder) as house, film.faster_whisper("cuda") as peer:
        house.up()
        sounds = Sounds(folder / "films")
        film.take_turns(house, peer, sounds, 1, rounds=1)
        for title, times in film.FILMS.items():
            ours, theirs = film.take_turns(house, peer, sounds, times)
            name = f"on a GPU, {title} against faster-whisper batched"
            film.compare(sheet, name, ours, theirs, times, film.RATIO_LIMIT)


def one_and_two(folder: Path, sheet: Sheet) -> None:
    """Measure a film of nine minutes on one GPU and on all; both houses are up, and take turns."""
    sounds = Sounds(folder / "films")
    times: dict[str, list[float]] = {"one": [], "all": []}
    first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0]
    with RealHouse(folder / "one", CUDA_VISIBLE_DEVICES=first) as one, RealHouse(folder / "all") as every:
        houses = {"one": one, "all": every}
        for house in houses.values():
            house.up()
            film.by_house(house, sounds.other(film.FILM))
        for _ in range(film.ROUNDS):
            for name, house in houses.items():
                times[name].append(film.by_house(house, sounds.other(film.FILM, repeats=8))[0])
    sheet.add("a film of nine minutes on all GPUs against one", times["all"], times["one"], limit=TWO_LIMIT)


def main() -> int:
    """Measure, print, judge."""
    gpus = detect().cuda
    if reason := lacking(len(gpus)):
        return skip(reason)
    sheet = Sheet("make bench-gpu")
    with tempfile.TemporaryDirectory() as name:
        against_faster_whisper(Path(name) / "peer", sheet)
        if len(gpus) > 1:
            one_and_two(Path(name), sheet)
        else:
            skip("one film on two GPUs, as this machine has one")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
