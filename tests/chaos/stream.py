"""Films that keep coming into a disturbed house, and their end: what tests with random kills share."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Protocol

from protocol.errors import NotRunningError
from protocol.job_changes import ResumeJobs
from protocol.messages import Submit
from tests.chaos.disturbed import Tended
from tests.house import until

__all__ = ["Stream", "Tender", "finish", "work_on"]

_OPEN = 6


class Tender(Protocol):
    """Who looks after what may have died."""

    def tend(self) -> None:
        """Do what a person would: start again what does not start again by itself."""

    def be_healthy(self) -> None:
        """Wait until everything is ready."""


class Stream:
    """Films that keep coming; each is submitted until it is known, under a key of its own.

    They lie in `folder`; a new one comes as long as fewer than `most_open` jobs have not ended.
    """

    def __init__(self, house: Tended, folder: Path | None = None, most_open: int = _OPEN) -> None:
        self._house = house
        self._folder = folder or house.home
        self._most_open = most_open
        self.films: list[Path] = []
        self.jobs: list[str] = []
        self.due: int | None = None
        """So many films come for now; None: no end of them."""

    def go_on(self) -> None:
        """Submit where few jobs are open and somebody answers."""
        if len(self.films) == len(self.jobs) == self.due:
            return
        try:
            health = self._house.health()
            if health is None or health.jobs_running + health.jobs_queued >= self._most_open:
                return
            if len(self.films) == len(self.jobs):
                film = self._folder / f"Film {len(self.films)}.mkv"
                film.write_bytes(b"film %d" % len(self.films))
                self.films.append(film)
            self.jobs.append(self._submit(self.films[-1]))
        except NotRunningError:
            return  # killed under us: the same request is sent again, with the same key

    def _submit(self, film: Path) -> str:
        out = str(self._house.out)
        submit = Submit(media=str(film), workflow="subtitle", user="u", out=out, key=film.name, reuse=False)
        return self._house.ask(submit, timeout_ms=1_000).job

    def complete(self, tender: Tender) -> None:
        """Wait until every film that was begun is a job."""
        while len(self.jobs) < len(self.films):
            tender.be_healthy()
            self.go_on()


def work_on(tender: Tender, stream: Stream, pause_s: float) -> None:
    """Let films come in, and look after everything, for so long."""
    over_s = time.monotonic() + pause_s

    def look() -> bool:
        tender.tend()
        stream.go_on()
        return time.monotonic() > over_s

    until(look, 60.0, "a while")


def finish(house: Tended, tender: Tender, count: int) -> int:
    """Wait for all jobs; resume those whose worker was killed twice under one step. Return how many."""
    resumed = 0
    while True:
        tender.be_healthy()
        failed = [report for report in house.all_ended(count) if report.state != "done"]
        if not failed:
            return resumed
        resumed += len(failed)
        house.ask(ResumeJobs(jobs=tuple(report.job for report in failed)))
