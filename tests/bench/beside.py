"""What films cost each other, and what a busy neighbour costs them.

`make bench-beside` measures, each against the same work alone and in the same run: a film of 70 s beside a
busy process; a clip of 20 s that comes while a film of nine minutes is being recognised; the time that is
left, said at a fifth of that film, against the truth; four films at once through all engines that are built,
against one after another. It also prints the most memory that the whisperx worker has taken.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from protocol.messages import JobReport
from tests.bench.figures import Sheet, skip
from tests.bench.full_house import FullHouse, full_house
from tests.bench.other_sound import Sounds
from tests.data import DATA
from tests.real_house import RealHouse

ROUNDS = 3
NEIGHBOUR_LIMIT = 1.8
INSIDE_LIMIT = 3.0
BOTH_LIMIT = 1.1
LEFT_LIMIT = 0.25
TOGETHER_LIMIT = 1.0
REPEATS = 8
CLIP_S = 20
SAID_AT = 0.2
BEGUN_AT = 0.15
FILMS = 4
FILM = DATA / "film" / "film_en.mp4"
_LOOK_EVERY_S = 0.1
_WITHIN_S = 900.0


@dataclass(frozen=True)
class Bench:
    """A house that is up, and films that it has not heard."""

    house: RealHouse
    sounds: Sounds

    def film_s(self) -> float:
        """Return the seconds of a film of 70 s."""
        return self.house.subtitled(str(self.sounds.other(FILM)), "-s", "en")[0]

    def seconds(self, options: Sequence[Sequence[str]]) -> float:
        """Submit a film for each list of options, and return how long all of them together take."""
        films = [str(self.sounds.other(FILM)) for _ in options]
        begun = time.monotonic()
        for job in [self.house.begin(film, *words) for film, words in zip(films, options, strict=True)]:
            self.when(job, has_ended)
        return time.monotonic() - begun

    def clip(self) -> str:
        """Return a clip."""
        return str(self.sounds.other(FILM, length_s=CLIP_S))

    def long_film(self) -> str:
        """Return a film of nine minutes."""
        return str(self.sounds.other(FILM, repeats=REPEATS))

    def when(self, job: str, condition: Callable[[JobReport], bool]) -> None:
        """Wait until something is so; looking is work for the machine, and is not done all the time."""
        wait = threading.Event().wait
        deadline = time.monotonic() + _WITHIN_S
        while not condition(self.house.job(job)):
            assert time.monotonic() < deadline, f"{job} does not get there"
            wait(_LOOK_EVERY_S)


@contextmanager
def busy_neighbour() -> Iterator[None]:
    """Have another process take what it gets of a core."""
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as neighbour:
        try:
            yield
        finally:
            neighbour.kill()


def beside_a_neighbour(bench: Bench, sheet: Sheet) -> None:
    """Measure a film alone and beside a busy process."""
    quiet, beside = [], []
    for _ in range(ROUNDS):
        quiet.append(bench.film_s())
        with busy_neighbour():
            beside.append(bench.film_s())
    name = "a film of 70 s beside a busy process, against alone"
    sheet.add(name, beside, quiet, limit=NEIGHBOUR_LIMIT)


def has_ended(report: JobReport) -> bool:
    """Tell whether the job is done; `AssertionError` where it has ended otherwise."""
    assert report.state in ("queued", "running", "done"), report
    return report.state == "done"


def is_being_recognised(report: JobReport) -> bool:
    """Tell whether the film's recognition is well under way."""
    return any(step.name == "asr" and step.fraction > BEGUN_AT for step in report.steps)


def said_and_true(bench: Bench, film: str) -> tuple[float, float]:
    """Return how long a film takes, and how far the time left, said on the way, was off: a part of it."""
    begun = time.monotonic()
    job = bench.house.begin(film, "-s", "en")
    bench.when(job, lambda report: report.fraction >= SAID_AT)
    said = json.loads(bench.house.cpw("status", "--json", job).stdout)["jobs"][0]["left_ms"]
    said_at = time.monotonic()
    bench.when(job, has_ended)
    end = time.monotonic()
    true_ms = 1000 * (end - said_at)
    return end - begun, 1.0 if said is None else abs(said / true_ms - 1)


def clip_inside(bench: Bench, film: str, clip: str) -> tuple[float, float]:
    """Return the seconds of a clip that comes while the film is being recognised, and of both together."""
    begun = time.monotonic()
    job = bench.house.begin(film, "-s", "en")
    bench.when(job, is_being_recognised)
    clip_s, _ = bench.house.subtitled(clip, "-s", "en")
    bench.when(job, has_ended)
    return clip_s, time.monotonic() - begun


def a_clip_and_a_long_film(bench: Bench, sheet: Sheet) -> None:
    """Measure a clip alone, a film of nine minutes alone, and the clip that comes meanwhile."""
    clips, films, inside, both, off = [], [], [], [], []
    for _ in range(ROUNDS):
        clips.append(bench.house.subtitled(bench.clip(), "-s", "en")[0])
        film_s, missed = said_and_true(bench, bench.long_film())
        films.append(film_s)
        off.append(missed)
        clip_s, both_s = clip_inside(bench, bench.long_film(), bench.clip())
        inside.append(clip_s)
        both.append(both_s)
    alone = [clip + film for clip, film in zip(clips, films, strict=True)]
    sheet.add(
        "a clip of 20 s during a film of nine minutes, against alone", inside, clips, limit=INSIDE_LIMIT
    )
    sheet.add("both together against the sum of each alone", both, alone, limit=BOTH_LIMIT)
    sheet.add("the time left, said at 20 % of nine minutes: off by", off, limit=LEFT_LIMIT, unit="of it")


def most_memory_mb(house: RealHouse) -> float:
    """Return the most that the whisperx worker has had in memory; 0 where the system does not say."""
    (pid,) = (found.pid for found in house.health().environments if found.environment == "whisperx")
    status = Path(f"/proc/{pid}/status")
    most = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE) if status.exists() else None
    return int(most[1]) * 1024 / 1e6 if most else 0.0


def all_at_once(full: FullHouse, sounds: Sounds, sheet: Sheet) -> None:
    """Measure four films at once by all engines, and four one after another."""
    translators = full.translators() or [""]
    bench = Bench(full.house, sounds)
    for translator in translators:
        full.house.subtitled(str(sounds.other(FILM)), *full.words(translator))
    turns = [full.words(translator) for translator, _ in zip(itertools.cycle(translators), range(FILMS))]
    once, after = [], []
    for _ in range(ROUNDS):
        after.append(sum(bench.seconds([words]) for words in turns))
        once.append(bench.seconds(turns))
    name = "four films at once by all engines, against one after another"
    sheet.add(name, once, after, limit=TOGETHER_LIMIT)


def main() -> int:
    """Measure, print, judge."""
    if not FILM.exists():
        return skip(f"{FILM} is not there")
    sheet = Sheet("make bench-beside")
    with tempfile.TemporaryDirectory() as name:
        sounds = Sounds(Path(name) / "films")
        with RealHouse(Path(name) / "house") as house:
            house.up()
            bench = Bench(house, sounds)
            bench.film_s()
            beside_a_neighbour(bench, sheet)
            a_clip_and_a_long_film(bench, sheet)
            sheet.add("the whisperx worker's memory at most", [most_memory_mb(house)], unit="MB")
        full = full_house(Path(name) / "full")
        with full.house:
            sys.stdout.write(full.without())
            full.house.up()
            all_at_once(full, sounds, sheet)
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
