"""How fast steps that do nothing go through a whole house, and what ten thousand queued jobs cost.

`make bench-dispatch` measures steps that are committed end to end (the real coordinator with its real store,
real workers whose engines do nothing) in turns with bare commits of the same row on the same disk and bare
messages of the same size, which a step needs at the least; the status query against a bare query of the same
rows, with 10,000 jobs queued and while they run; `cpw status` against the start of its interpreter; and the
coordinator's memory for a queued job.
"""

from __future__ import annotations

import os
import select
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from coordinator.planning.planner import plan
from coordinator.store.job_folder import claim_folder
from coordinator.store.store import Store
from protocol.messages import StatusQuery, StatusReport, Submit
from tests.bench.figures import Sheet
from tests.bench.peers.bare_messages import BareMessages
from tests.bench.peers.bare_store import NEWEST, BareStore
from tests.house import COMMON_STAGES, ROOT, SPEECH_STAGES, House, until
from tests.plans import all_by

FEW, MANY = 100, 10_000
ROUNDS = 3
STEPS = 4_000
COMMITS = 2_000
MESSAGES = 2_000
STEP_LIMIT = 18.0
"""A step is a call, what worker and coordinator do about it, and its part of a commit. Estimated: 12 where
the disk costs nothing, and less with each slower one, as several steps share a commit."""
QUERY_LIMIT = 30.0
"""Measured: 19. The answer is also planned, packed, sent to another process and read there."""
BUSY_LIMIT = 60.0
"""Measured: 37. A query waits for the turn before it, which commits what has come in."""
COMMAND_LIMIT = 4.0
"""Measured: 2.5. The command also imports what it shows jobs with, asks, and prints."""
GROWTH_LIMIT = 1.25
"""Two medians of the same thing differ by some per cent; what grows with the queue differs a hundredfold."""
BYTES_LIMIT = 1_024
_LOOKS = 5
_BIN = ROOT / "venv" / "common" / "bin"


def _idle(stages: dict[str, str]) -> dict[str, str]:
    return {stage: f"tests.ill.nothing:No{stage.capitalize()}" for stage in stages}


class IdleHouse(House):
    """A house whose engines do nothing; its coordinator can also run alone, with nobody to give work to."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, _idle(COMMON_STAGES), _idle(SPEECH_STAGES))
        self.store_path = self.home / "state" / "jobs.sqlite"

    def queue(self, jobs: int, steps: int | None = None) -> None:
        """Put jobs into the store, as a submission leaves them there; of each plan the first `steps`."""
        store = Store(self.store_path)
        with store.transaction():
            for _ in range(jobs):
                job, directory = claim_folder(self.out, "bench", store.highest_number)
                # Films differ, or the work on one would be taken for the work on all.
                film = directory / "film.mkv"
                film.write_text(job)
                submit = Submit(media=str(film), workflow="transcribe", user="bench", out=str(self.out))
                served = all_by(lambda stage: "common" if stage in COMMON_STAGES else "whisperx")
                store.add_job(job, submit, directory, plan(submit, served).steps[:steps], [])
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

    def query(self) -> StatusReport:
        """Ask for the newest jobs."""
        return self.ask(StatusQuery(limit=NEWEST))

    def look(self) -> None:
        """Run the real `cpw status`."""
        environment = dict(os.environ, CPW_RUNTIME=str(self.runtime))
        subprocess.run([_BIN / "cpw", "status"], env=environment, check=True, stdout=subprocess.DEVNULL)

    def import_click(self) -> None:
        """Start the interpreter of `cpw` for nothing but its library of commands."""
        subprocess.run([_BIN / "python", "-c", "import click"], check=True)


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What a queue costs: each round's median, and the coordinator's bytes."""

    query_ms: list[float]
    bare_ms: list[float]
    command_ms: list[float]
    import_ms: list[float]
    memory: int


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long an action takes."""
    begun = time.perf_counter()
    action()
    return (time.perf_counter() - begun) * 1000


def by_turns(actions: Sequence[Callable[[], object]]) -> list[float]:
    """Do the actions in turns, some times, and return the median milliseconds of each."""
    times = [[milliseconds(action) for action in actions] for _ in range(_LOOKS)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def look_at_queue(house: IdleHouse, jobs: int) -> Looks:
    """Bring the queue to `jobs` and return what looking at it takes, and its peers in turns."""
    house.queue(jobs)
    alone = house.start_coordinator()
    try:
        with closing(BareStore(house.store_path)) as bare:
            actions = (house.query, bare.newest_jobs, house.look, house.import_click)
            by_turns(actions)
            rounds = [by_turns(actions) for _ in range(ROUNDS)]
        query, rows, command, importing = (list(column) for column in zip(*rounds, strict=True))
        return Looks(
            query_ms=query,
            bare_ms=rows,
            command_ms=command,
            import_ms=importing,
            memory=alone.memory_full_info().uss,
        )
    finally:
        alone.terminate()
        alone.wait(timeout=20)


@dataclass(kw_only=True)
class Rounds:
    """What was measured while steps were done, round by round."""

    step_ms: list[float] = field(default_factory=list)
    commit_ms: list[float] = field(default_factory=list)
    message_ms: list[float] = field(default_factory=list)
    query_ms: list[float] = field(default_factory=list)
    bare_ms: list[float] = field(default_factory=list)


def run_steps(house: IdleHouse, bare: BareStore, rounds: Rounds) -> None:
    """Let the house do the steps of one round."""
    house.start()
    actions = (house.query, bare.newest_jobs)
    before, begun = bare.count_done(), time.monotonic()
    looks = []

    def enough() -> bool:
        looks.append([milliseconds(action) for action in actions])
        # Looking is work for the machine that is measured: twice a second is enough.
        select.select([], [], [], 0.5)
        return bare.count_done() - before >= STEPS

    until(enough, 300, f"{STEPS} steps")
    rounds.step_ms.append(1000 * (time.monotonic() - begun) / (bare.count_done() - before))
    for kept, column in zip((rounds.query_ms, rounds.bare_ms), zip(*looks, strict=True), strict=True):
        kept.append(statistics.median(column))
    house.stop()


def take_turns(house: IdleHouse) -> Rounds:
    """Do steps, then bare commits on the same disk, and again; in between the house is down."""
    rounds = Rounds()
    with closing(BareStore(house.store_path)) as bare:
        for number in range(ROUNDS):
            run_steps(house, bare, rounds)
            rounds.commit_ms.append(bare.commit_ms(house.home / "state" / f"bare {number}.sqlite", COMMITS))
            row = bare.finished_step()
            with BareMessages(row, row) as messages:
                rounds.message_ms.append(
                    statistics.median(messages.seconds() for _ in range(MESSAGES)) * 1000
                )
    return rounds


def main() -> int:
    """Measure, print, judge."""
    with tempfile.TemporaryDirectory() as name, IdleHouse(Path(name)) as house:
        few = look_at_queue(house, FEW)
        many = look_at_queue(house, MANY - FEW)
        rounds = take_turns(house)
    sheet = Sheet("make bench-dispatch")
    pairs = zip(rounds.commit_ms, rounds.message_ms, strict=True)
    sheet.add(
        "a step against a bare SQLite commit and a bare pyzmq round trip",
        rounds.step_ms,
        [commit + message for commit, message in pairs],
        limit=STEP_LIMIT,
        unit="ms",
    )
    sheet.add("a step against the commit alone", rounds.step_ms, rounds.commit_ms, unit="ms")
    name = "a status query against a bare query of its rows"
    sheet.add(f"{name}, {MANY} jobs queued", many.query_ms, many.bare_ms, limit=QUERY_LIMIT, unit="ms")
    sheet.add(f"{name}, while they run", rounds.query_ms, rounds.bare_ms, limit=BUSY_LIMIT, unit="ms")
    sheet.add(
        f"`cpw status` against importing click, {MANY} jobs queued",
        many.command_ms,
        many.import_ms,
        limit=COMMAND_LIMIT,
        unit="ms",
    )
    middles = [statistics.median(looks.query_ms) for looks in (many, few)]
    sheet.add(
        f"a status query with {MANY} jobs queued against {FEW}",
        middles[:1],
        middles[1:],
        limit=GROWTH_LIMIT,
        unit="ms",
    )
    bytes_of_a_job = (many.memory - few.memory) / (MANY - FEW)
    sheet.add("memory of a queued job", [bytes_of_a_job], limit=BYTES_LIMIT, unit="bytes")
    return sheet.close()


if __name__ == "__main__":
    sys.exit(main())
