"""How fast steps that do nothing go through a whole house, and what ten thousand queued jobs cost.

`make bench-dispatch` prints steps a second committed end to end (the real coordinator with its real store,
real workers whose engines do nothing), how long `cpw status` takes with 100 and with 10,000 jobs queued,
and the coordinator's memory for each of them. It exits 1 over the limits.
"""

from __future__ import annotations

import os
import select
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from coordinator.planning.planner import plan
from coordinator.store.job_folder import claim_folder
from coordinator.store.store import Store
from protocol.messages import StatusQuery, Submit
from tests.house import COMMON_STAGES, ROOT, SPEECH_STAGES, House, until
from tests.plans import all_by

FEW, MANY = 100, 10_000
MEASURED_STEPS = 12_000
RATE_LIMIT = 800.0
LOOK_LIMIT_MS = 200.0
GROWTH_LIMIT = 1.25
"""Two medians of the same thing differ by some per cent; what grows with the queue differs a hundredfold."""
BYTES_LIMIT = 1_024
_LOOKS = 15


def _idle(stages: dict[str, str]) -> dict[str, str]:
    return {stage: f"tests.ill.nothing:No{stage.capitalize()}" for stage in stages}


class IdleHouse(House):
    """A house whose engines do nothing; its coordinator can also run alone, with nobody to give work to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _idle(COMMON_STAGES), _idle(SPEECH_STAGES))
        self.store_path = self.home / "state" / "jobs.sqlite"

    def queue(self, jobs: int) -> None:
        """Put jobs into the store, as a submission leaves them there."""
        store = Store(self.store_path)
        with store.transaction():
            for _ in range(jobs):
                job, directory = claim_folder(self.out, "bench", store.highest_number)
                # Films differ, or the work on one would be taken for the work on all.
                film = directory / "film.mkv"
                film.write_text(job)
                submit = Submit(media=str(film), workflow="transcribe", user="bench", out=str(self.out))
                served = all_by(lambda stage: "common" if stage in COMMON_STAGES else "whisperx")
                steps = plan(submit, served).steps
                store.add_job(job, submit, directory, steps, [])
        store.close()

    def start_coordinator(self) -> psutil.Popen:
        """Start the coordinator alone."""
        python = self.home / "venv" / "common" / "bin" / "python"
        alone = psutil.Popen(
            [python, "-I", "-u", "-m", "coordinator", "--runtime", str(self.runtime)],
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until(self.health, 20, "the coordinator answers")
        return alone

    def look(self) -> None:
        """Run the real `cpw status`."""
        cpw = ROOT / "venv" / "common" / "bin" / "cpw"
        environment = dict(os.environ, CPW_RUNTIME=str(self.runtime))
        subprocess.run([cpw, "status"], env=environment, check=True, stdout=subprocess.DEVNULL)


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What a queue costs."""

    query_ms: float
    command_ms: float
    memory: int


def median_ms(action: Callable[[], object], times: int) -> float:
    """Return the median time of an action."""
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        action()
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def look_at_queue(house: IdleHouse, jobs: int) -> Looks:
    """Bring the queue to `jobs` and return what looking at it takes."""
    house.queue(jobs)
    alone = house.start_coordinator()
    try:
        return Looks(
            query_ms=median_ms(lambda: house.ask(StatusQuery(limit=20)), _LOOKS),
            command_ms=median_ms(house.look, _LOOKS),
            memory=alone.memory_full_info().uss,
        )
    finally:
        alone.terminate()
        alone.wait(timeout=20)


def count_done(house: IdleHouse) -> int:
    """Return how many steps the store's file says are done."""
    with sqlite3.connect(f"file:{house.store_path}?mode=ro", uri=True) as store:
        (done,) = store.execute("SELECT count(*) FROM steps WHERE state = 'done'").fetchone()
    return int(done)


def measure_rate(house: IdleHouse) -> tuple[float, float]:
    """Return steps a second, and the median latency of a status query meanwhile, in ms."""
    house.start()
    before, begun = count_done(house), time.monotonic()
    looks = []

    def enough() -> bool:
        looks.append(median_ms(lambda: house.ask(StatusQuery(limit=20)), 1))
        # Looking is work for the machine that is measured: twice a second is enough.
        select.select([], [], [], 0.5)
        return count_done(house) - before >= MEASURED_STEPS

    until(enough, 300, f"{MEASURED_STEPS} steps")
    rate = (count_done(house) - before) / (time.monotonic() - begun)
    return rate, statistics.median(looks)


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as name, IdleHouse(Path(name)) as house:
        few = look_at_queue(house, FEW)
        many = look_at_queue(house, MANY - FEW)
        rate, busy_ms = measure_rate(house)
    bytes_of_a_job = (many.memory - few.memory) / (MANY - FEW)
    growth = many.query_ms / few.query_ms
    sys.stdout.write(
        f"{MEASURED_STEPS} steps: {rate:.0f} a second (limit {RATE_LIMIT:.0f})\n"
        f"status query with {FEW} jobs queued: {few.query_ms:.1f} ms, with {MANY}: {many.query_ms:.1f} ms, "
        f"while they run: {busy_ms:.1f} ms (limit {LOOK_LIMIT_MS:.0f})\n"
        f"cpw status with {FEW} jobs queued: {few.command_ms:.0f} ms, with {MANY}: {many.command_ms:.0f} ms "
        f"(limit {LOOK_LIMIT_MS:.0f})\n"
        f"growth of the query {growth:.2f} (limit {GROWTH_LIMIT}); "
        f"memory of a queued job: {bytes_of_a_job:.0f} bytes (limit {BYTES_LIMIT})\n"
    )
    quick = max(few.query_ms, many.query_ms, many.command_ms, busy_ms) < LOOK_LIMIT_MS
    return 0 if rate >= RATE_LIMIT and quick and growth < GROWTH_LIMIT and bytes_of_a_job < BYTES_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
