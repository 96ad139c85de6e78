"""Removes jobs that ended long ago, once a day, where a person has set `CPW_PRUNE`. Time is an argument."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from dataclasses import replace

from protocol.job_changes import Pruned, PruneJobs
from protocol.wording import size

__all__ = ["FAILED_KEPT_MS", "Pruning"]

log = logging.getLogger(__name__)

_EVERY_S = 86_400.0
_FIRST_AFTER_S = 60.0
"""By then the workers have said hello, and with it what they still run."""
FAILED_KEPT_MS = 30 * 86_400_000
"""A failed job may still be resumed: it is kept so long at least, whatever a person sets."""


class Pruning:
    """Asks for one portion a turn of the loop; used by the loop's thread alone."""

    def __init__(self, prune: Callable[[PruneJobs], Pruned], after_ms: int | None, begun_s: float) -> None:
        self._prune = prune
        self._after_ms = after_ms
        self._due_s = begun_s + _FIRST_AFTER_S
        self._left: list[PruneJobs] = []
        self._removed, self._bytes = 0, 0

    def look(self, now_s: float) -> None:
        """Remove a portion, if it is time or some are left."""
        if self._after_ms is None or not (self._left or now_s >= self._due_s):
            return
        if not self._left:
            self._due_s = now_s + _EVERY_S
            self._left = _requests(self._after_ms)
        try:
            self._remove(self._left[0])
        except sqlite3.Error:  # a full disk, which must not end the loop
            log.exception("old jobs cannot be removed; the next try is tomorrow")
            self._left = []

    def _remove(self, request: PruneJobs) -> None:
        done = self._prune(request)
        self._removed += len(done.jobs)
        self._bytes += done.size_bytes
        for sentence in done.kept:
            log.warning("an old job is kept: %s", sentence)
        if done.more:
            self._left[0] = replace(request, after=done.last)
            return
        del self._left[0]
        if not self._left:
            log.info("CPW_PRUNE: %d old jobs removed, %s", self._removed, size(self._bytes) or "0 MB")
            self._removed, self._bytes = 0, 0


def _requests(after_ms: int) -> list[PruneJobs]:
    failed_ms = max(after_ms, FAILED_KEPT_MS)
    return [
        PruneJobs(older_than_ms=after_ms, states=("done", "cancelled"), dry_run=False),
        PruneJobs(older_than_ms=failed_ms, states=("failed",), dry_run=False),
    ]
