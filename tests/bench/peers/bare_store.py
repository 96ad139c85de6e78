"""What the store is measured against: SQLite alone, with its rows, its pragmas and its disk."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

__all__ = ["NEWEST", "PRAGMAS", "BareStore"]

NEWEST = 20
"""So many jobs `cpw status` shows."""
PRAGMAS = ("PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL")
"""As coordinator/store/file.py sets them."""

_JOBS = "SELECT * FROM jobs ORDER BY seq DESC LIMIT ?"
_STEPS = "SELECT * FROM steps WHERE job IN (SELECT seq FROM jobs ORDER BY seq DESC LIMIT ?)"


class BareStore:
    """Looks into a store's file, past the coordinator."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def newest_jobs(self) -> int:
        """Read the rows that the newest jobs are shown from; return how many they are."""
        return sum(len(self._db.execute(query, (NEWEST,)).fetchall()) for query in (_JOBS, _STEPS))

    def count_done(self) -> int:
        """Return how many steps are done."""
        (done,) = self._db.execute("SELECT count(*) FROM steps WHERE state = 'done'").fetchone()
        return int(done)

    def finished_step(self) -> tuple[Any, ...]:
        """Return the row of a step that is done."""
        row: tuple[Any, ...] = self._db.execute("SELECT * FROM steps WHERE state = 'done' LIMIT 1").fetchone()
        return row

    def commit_ms(self, path: Path, commits: int) -> float:
        """Write the row of a finished step so often into a file of its own, each time in a transaction.

        Returns the milliseconds of one.
        """
        (table,) = self._db.execute("SELECT sql FROM sqlite_master WHERE name = 'steps'").fetchone()
        row = self.finished_step()
        with closing(sqlite3.connect(path, isolation_level=None)) as db:
            for pragma in PRAGMAS:
                db.execute(pragma)
            db.execute(table)
            insert = f"INSERT INTO steps VALUES ({','.join('?' * len(row))})"
            begun = time.perf_counter()
            for number in range(commits):
                db.execute("BEGIN IMMEDIATE")
                db.execute(insert, (number, *row[1:]))
                db.execute("COMMIT")
            return 1000 * (time.perf_counter() - begun) / commits
