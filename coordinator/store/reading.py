"""Reading jobs from the store: one, some, the newest, those that changed."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from coordinator.store.rows import JobRow, StepRow, job_of
from protocol.messages import JobState

__all__ = ["JobReader"]


class JobReader:
    """What the store is asked about jobs."""

    _db: sqlite3.Connection

    def job(self, job: str) -> JobRow | None:
        """Return the job, None where there is none."""
        row = self._db.execute("SELECT * FROM jobs WHERE id = ?", (job,)).fetchone()
        return job_of(row) if row else None

    def job_of(self, step: StepRow) -> JobRow:
        """Return the step's job."""
        job = self.job(step.job)
        assert job is not None, "a step without its job: the foreign key forbids it"
        return job

    def job_by_key(self, key: str) -> JobRow | None:
        """Return the job with the client's key, None where there is none."""
        row = self._db.execute("SELECT * FROM jobs WHERE key = ?", (key,)).fetchone()
        return job_of(row) if row else None

    def jobs_in(self, states: Iterable[str], after: int = 0, limit: int = -1) -> list[JobRow]:
        """Return the jobs in these states that come `after` a number, oldest first; at most `limit`."""
        wanted = tuple(states)
        marks = ",".join("?" * len(wanted))
        query = f"SELECT * FROM jobs WHERE state IN ({marks}) AND seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 (marks)
        rows = self._db.execute(query, (*wanted, after, limit))
        return [job_of(row) for row in rows]

    def newest_jobs(self, limit: int, before: str = "") -> list[JobRow]:
        """Return the newest jobs, newest first; with `before`, those that were submitted before that job."""
        rows = self._db.execute(
            "SELECT * FROM jobs WHERE part_of = '' AND (? = '' OR seq < (SELECT seq FROM jobs WHERE id = ?))"
            " ORDER BY seq DESC LIMIT ?",
            (before, before, limit),
        )
        return [job_of(row) for row in rows]

    def revision(self) -> int:
        """Return how many changes of jobs there have been, in all the store's life."""
        return int(self._db.execute("SELECT last FROM changes").fetchone()["last"])

    def jobs_after(self, revision: int, limit: int) -> list[tuple[int, JobRow]]:
        """Return the jobs that changed after `revision`, each with its own, in the order of the changes."""
        rows = self._db.execute(
            "SELECT * FROM jobs WHERE revision > ? AND part_of = '' ORDER BY revision LIMIT ?",
            (revision, limit),
        )
        return [(int(row["revision"]), job_of(row)) for row in rows]

    def removed_after(self, revision: int) -> list[str]:
        """Return the jobs that were removed after `revision`; the last 10,000 changes are known."""
        rows = self._db.execute(
            "SELECT id FROM removed_jobs WHERE revision > ? ORDER BY revision", (revision,)
        )
        return [str(row["id"]) for row in rows]

    def trials(self, job: str) -> list[JobRow]:
        """Return the trials of a job, oldest first."""
        rows = self._db.execute("SELECT * FROM jobs WHERE part_of = ? AND part_of <> '' ORDER BY seq", (job,))
        return [job_of(row) for row in rows]

    def jobs_of(self, media: str) -> list[JobRow]:
        """Return the jobs of a film, newest first."""
        rows = self._db.execute(
            "SELECT * FROM jobs WHERE json_extract(submit, '$.media') = ? AND part_of = '' ORDER BY seq DESC",
            (media,),
        )
        return [job_of(row) for row in rows]

    def last_ended(self, limit: int) -> list[JobRow]:
        """Return the jobs that ended last."""
        rows = self._db.execute(
            "SELECT * FROM jobs WHERE ended_at IS NOT NULL ORDER BY ended_at DESC LIMIT ?", (limit,)
        )
        return [job_of(row) for row in rows]

    def count_jobs(self, state: JobState) -> int:
        """Return how many jobs are in `state`."""
        row = self._db.execute("SELECT count(*) AS n FROM jobs WHERE state = ?", (state,)).fetchone()
        return int(row["n"])
