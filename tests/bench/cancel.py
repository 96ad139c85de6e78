"""How soon a film that is cancelled lets go, whatever is being done with it.

`make bench-cancel` starts a film of nine minutes, and for the stages that can run long it waits until a
worker does them, types `cpw cancel`, and takes the time until the command has answered and until the worker
can take another call. Then the job is resumed, up to the next stage. Of a stage that ends before it is caught
it says that it is too short.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from protocol.messages import StepReport
from tests.bench.figures import Sheet, skip
from tests.bench.full_house import FullHouse, full_house
from tests.bench.other_sound import Sounds
from tests.data import DATA
from tests.real_house import BIN, RealHouse

ANSWER_LIMIT_S = 1.0
"""People wait for it; so it is no ratio."""
PARTS = (0.0, 0.2, 0.5)
"""How much of a stage is done when it is cancelled, round by round."""
REPEATS = 8
_LOOK_EVERY_S = 0.02
_ASK_EVERY_S = 0.005
_WITHIN_S = 600.0


@dataclass(frozen=True)
class Times:
    """Seconds from the command's start."""

    answered: float
    free: float


def caught(house: RealHouse, job: str, name: str, part: float) -> StepReport | None:
    """Wait until a step runs and so much of it is done; return it, None where it has ended before."""
    wait = threading.Event().wait
    deadline = time.monotonic() + _WITHIN_S
    while time.monotonic() < deadline:
        step = next(step for step in house.job(job).steps if step.name == name)
        if step.state == "running" and step.fraction >= part:
            return step
        if step.state in ("done", "skipped"):
            return None
        assert step.state in ("waiting", "ready", "running"), step
        wait(_LOOK_EVERY_S)
    message = f"{name} has not begun within {_WITHIN_S:.0f} s"
    raise AssertionError(message)


def is_busy(house: RealHouse, environment: str, job: str) -> bool:
    """Tell whether the environment's worker still has a call of the job."""
    workers = (found for found in house.health().environments if found.environment == environment)
    return any(worker.busy_with is not None and worker.busy_with.job == job for worker in workers)


def cancelled(house: RealHouse, job: str, environment: str) -> Times:
    """Type `cpw cancel` and return when it has answered, and when the worker was free."""
    answered = free = 0.0
    wait = threading.Event().wait
    begun = time.monotonic()
    command = [BIN / "cpw", "cancel", job]
    with subprocess.Popen(command, env=house.environment, stdout=subprocess.DEVNULL) as typed:
        while not (answered and free):
            wait(_ASK_EVERY_S)
            if not answered and typed.poll() is not None:
                answered = time.monotonic() - begun
            if not free and not is_busy(house, environment, job):
                free = time.monotonic() - begun
    assert typed.returncode == 0, f"cpw cancel {job}"
    return Times(answered, free)


def cancel_each(house: RealHouse, job: str, steps: Sequence[str]) -> dict[str, list[Times]]:
    """Cancel the job in each of its steps, a few times, and resume it each time but the last."""
    found: dict[str, list[Times]] = {name: [] for name in steps}
    for name in steps:
        for part in PARTS:
            step = caught(house, job, name, part)
            if step is None:
                break
            found[name].append(cancelled(house, job, step.environment))
            assert house.cpw("resume", job).returncode == 0
    house.cpw("cancel", job)
    return found


def film(sounds: Sounds, name: str) -> str:
    """Return a film of minutes."""
    return str(sounds.other(DATA / "film" / f"{name}.mp4", repeats=REPEATS))


def measure(full: FullHouse, sounds: Sounds) -> dict[str, list[Times]]:
    """Cancel in every stage, and in that of every translator."""
    house, english = full.house, film(sounds, "film_en")
    job = house.begin(english, *full.words(), "--burn", "en")
    names = [step.name for step in house.job(job).steps if step.stage not in ("clean", "subtitle")]
    found = cancel_each(house, job, names)
    # What was done for the film is taken over.
    films = {name: [english, *full.words(name)] for name in full.translators()}
    german = film(sounds, "film_de")
    films["Whisper"] = [german, "-s", "de", "-t", "en", "--env", "translate=whisperx"]
    for name, words in films.items():
        job = house.begin(*words)
        (step,) = (step.name for step in house.job(job).steps if step.stage == "translate")
        found[f"translate by {name}"] = cancel_each(house, job, [step])[step]
    return found


def record(sheet: Sheet, found: dict[str, list[Times]]) -> None:
    """Put every stage that was caught on the sheet."""
    for name, times in found.items():
        if not times:
            sys.stdout.write(f"{name}: too short to be cancelled\n")
            continue
        sheet.add(
            f"`cpw cancel` in {name} answers", [taken.answered for taken in times], limit=ANSWER_LIMIT_S
        )
        sheet.add(
            f"`cpw cancel` in {name}: the worker is free",
            [taken.free for taken in times],
            limit=ANSWER_LIMIT_S,
        )


def main() -> int:
    """Measure, print, judge."""
    if not (DATA / "film" / "film_de.mp4").exists():
        return skip(f"the films are not in {DATA}/film")
    sheet = Sheet("make bench-cancel")
    with tempfile.TemporaryDirectory() as name:
        full = full_house(Path(name) / "full")
        with full.house:
            sys.stdout.write(full.without())
            full.house.up()
            record(sheet, measure(full, Sounds(Path(name) / "films")))
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
