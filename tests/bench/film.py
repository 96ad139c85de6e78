"""One film through the warm house against faster-whisper's batched pipeline, warm, with VAD and word times.

`make bench-film` prints for a film of 70 s and for one of nine minutes the times of both, taken in turns,
and the ratio of their medians; the house also takes the sound out of the film and writes cues. Then the word
error rate and the distances of the words' starts from the script's lines, for both.
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import jiwer

import envspecs
from envspecs.hardware import usable_cores
from envspecs.models.registry import model_path
from tests.bench.other_sound import copy_with_other_sound
from tests.data import DATA, ROOT, plain, script
from tests.real_house import RealHouse
from tests.whisperx_command import MODEL

ROUNDS = 3
REPEATS = 8
RATIO_LIMIT = 0.70

Word = tuple[str, int, int]


@contextmanager
def faster_whisper() -> Iterator[subprocess.Popen[str]]:
    """Start the peer and wait until its model is loaded."""
    command = [envspecs.interpreter("whisperx"), "-m", "tests.bench.faster_whisper"]
    command += [str(model_path(MODEL)), str(usable_cores())]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as peer:
        yield peer
        assert peer.stdin is not None
        peer.stdin.close()


def by_peer(peer: subprocess.Popen[str], film: Path) -> tuple[float, list[Word]]:
    """Return seconds and words."""
    assert peer.stdin is not None
    assert peer.stdout is not None
    peer.stdin.write(f"{film}\n")
    peer.stdin.flush()
    answer = json.loads(peer.stdout.readline())
    return answer["seconds"], [tuple(word) for word in answer["words"]]


def by_house(house: RealHouse, film: Path) -> tuple[float, list[Word]]:
    """Return the seconds from submit to finished subtitles, and the words."""
    begun = time.monotonic()
    code, jobs, said = house.submit(str(film), "--workflow", "subtitle", "--again", "-s", "en")
    seconds = time.monotonic() - begun
    assert code == 0, said
    (path,) = Path(jobs[0]["directory"]).glob("*_align/transcript.json")
    segments = json.loads(path.read_bytes())["segments"]
    return seconds, [
        (word["text"], word["start_ms"], word["end_ms"]) for segment in segments for word in segment["words"]
    ]


def off_ms(words: Sequence[Word]) -> list[int]:
    """Return for each line of the script how far the nearest start of its first word is."""
    found = []
    for line in script("film_en"):
        first = plain(line.text).split()[0]
        near = [abs(start - line.start_ms) for text, start, _ in words if plain(text).split()[:1] == [first]]
        found.append(min(near, default=9_999))
    return found


def describe(name: str, words: Sequence[Word], times: int) -> str:
    """Return a line about the quality of words that are `times` times film_en."""
    meant = plain(" ".join([line.text for line in script("film_en")] * times))
    rate = jiwer.wer(meant, plain(" ".join(text for text, _, _ in words)))
    median = statistics.median(off_ms(words))
    return f"  {name}: word error rate {rate:.3f}, line starts off by {median:.0f} ms in the median\n"


def measure(films: Sequence[Path], times: int, house: RealHouse, peer: subprocess.Popen[str]) -> float:
    """Print what was measured of one film, whose sound is another in each round, and return the ratio."""
    results: dict[str, list[tuple[float, Any]]] = {"house": [], "faster-whisper": []}
    for film in films:
        results["house"].append(by_house(house, film))
        results["faster-whisper"].append(by_peer(peer, film))
    medians = {}
    for name, runs in results.items():
        seconds = [run[0] for run in runs]
        medians[name] = statistics.median(seconds)
        shown = " ".join(f"{second:.2f}" for second in seconds)
        sys.stdout.write(f"{film.name}: {name} {shown}, median {medians[name]:.2f} s\n")
        sys.stdout.write(describe(name, runs[-1][1], times))
    ratio = medians["house"] / medians["faster-whisper"]
    sys.stdout.write(f"{film.name}: ratio {ratio:.2f} (limit {RATIO_LIMIT})\n")
    sys.stdout.flush()
    return ratio


def main() -> int:
    """Measure, print, judge."""
    source = DATA / "film" / "film_en.mp4"
    if not source.exists():
        sys.stdout.write(f"not measured: {source} is not there\n")
        return 0
    ffmpeg = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    with tempfile.TemporaryDirectory() as name, RealHouse(Path(name)) as house, faster_whisper() as peer:
        films = Path(name) / "films"
        made: dict[int, list[Path]] = {1: [], REPEATS: []}
        for number in range(ROUNDS):
            (films / str(number)).mkdir(parents=True)
            for repeats, title in ((1, "film_en.mp4"), (REPEATS, "nine minutes.mp4")):
                target = films / str(number) / title
                made[repeats].append(copy_with_other_sound(ffmpeg, source, target, number, repeats=repeats))
        up = house.cpw("up")
        assert up.returncode == 0, up.stderr
        ratios = [measure(paths, repeats, house, peer) for repeats, paths in made.items()]
    return 0 if max(ratios) <= RATIO_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
