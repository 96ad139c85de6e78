"""Keeps the JSON files in job folders up to date: soon while a job runs, at once when it has ended."""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from coordinator.planning.job_json import renew
from coordinator.store import job_folder
from coordinator.store.rows import JobRow, StepRow
from coordinator.store.store import Store
from protocol.failpoints import reach

__all__ = ["MOST_UNDER_WAY", "Manifests"]

log = logging.getLogger(__name__)

_WITHIN_S = 0.3
"""A manifest is for people and scripts: a few times a second is enough."""
_LOOKED_BACK = 1_000
"""After a crash, the manifests of this many ended jobs are checked: more than end in one turn of the loop,
and were under way before it."""
MOST_UNDER_WAY = 50
"""Where more are to be written, the loop waits: else a slow disk would fall behind it for ever."""


class Manifests:
    """Writes manifests on a thread of its own, after the commit of what they say. The loop's thread asks.

    A job folder may lie on another machine: making a file there takes longer than all else about a step.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="manifests")
        self._under_way: deque[Future[None]] = deque()
        self._due: dict[str, float] = {}
        self._now_s = 0.0
        self._new_translators: set[str] = set()

    def catch_up(self) -> None:
        """Renew the manifests of jobs that ended just before an earlier run died."""
        for job in self._store.last_ended(_LOOKED_BACK):
            if _written_state(job) not in (job.state, None):
                self._write(job.id)
        self.settle()

    def note(self, job: str) -> None:
        """Remember that something about the job has changed."""
        self._due.setdefault(job, self._now_s + _WITHIN_S)

    def note_translators(self, job: str) -> None:
        """Remember that other environments translate now than `job.json` says."""
        self._new_translators.add(job)
        self.note(job)

    def note_end(self, job: str) -> None:
        """Remember that the job has ended: its manifest is written at once."""
        self._due[job] = 0.0

    def write(self, now_s: float) -> None:
        """Have the manifests written that are due."""
        self._now_s = now_s
        for job in [due_job for due_job, at_s in self._due.items() if at_s <= now_s]:
            del self._due[job]
            self._write(job)
        self._wait(MOST_UNDER_WAY)

    def settle(self) -> None:
        """Wait for those under way: who hears that a job has ended finds its files so."""
        self._wait(0)

    def _wait(self, most_left: int) -> None:
        while self._under_way and (len(self._under_way) > most_left or self._under_way[0].done()):
            self._under_way.popleft().result()

    def close(self) -> None:
        """Write what is left."""
        self.write(float("inf"))
        self.settle()
        self._pool.shutdown()

    def _write(self, job: str) -> None:
        """Have a job's manifest renewed; a full disk must not stop the loop."""
        current = self._store.job(job)
        if current is None:
            return
        steps = self._store.steps(job)
        asked = current.submit
        died_before = current.ended_at is not None and not asked.source_language
        if job in self._new_translators or died_before:
            try:
                renew(current.directory, asked, current.language, steps)
                self._new_translators.discard(job)
            except OSError as error:
                log.warning("the routes of %s cannot be written: %s", job, error)
        self._under_way.append(self._pool.submit(_put, current, steps))


def _put(job: JobRow, steps: Sequence[StepRow]) -> None:
    """Write a job's manifest. No worker writes into an ended job any more: its scratch folders go."""
    if job.ended_at is not None:
        # Before the manifest: `catch_up` takes an up-to-date manifest as a sign that this was done.
        job_folder.clear_scratch(job.directory, resumable=job.state != "done")
        reach("coordinator.job.scratch-cleared")
    try:
        job_folder.write_manifest(job, steps)
    except OSError as error:
        log.warning("the manifest of %s cannot be written: %s", job.id, error)


def _written_state(job: JobRow) -> object:
    """Return the state in the job's manifest; empty where it cannot be read, None where nothing is there."""
    try:
        return json.loads((job.directory / "manifest.json").read_bytes()).get("status", "")
    except FileNotFoundError:
        return "" if job.directory.is_dir() else None
    except (OSError, ValueError, AttributeError):
        return ""
