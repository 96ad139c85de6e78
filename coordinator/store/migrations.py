"""Brings a job store of an older version to this one's: each step in one transaction with its number."""

from __future__ import annotations

import sqlite3
from importlib import resources

from protocol.errors import BugError

__all__ = ["SCHEMA_VERSION", "migrate"]

SCHEMA_VERSION = 3
"""Of `schema.sql`."""

_TO: dict[int, str] = {
    2: """
        ALTER TABLE jobs ADD COLUMN key TEXT;
        CREATE UNIQUE INDEX jobs_by_key ON jobs (key);
        ALTER TABLE steps ADD COLUMN begun_at TEXT;
        ALTER TABLE steps ADD COLUMN step_key TEXT NOT NULL DEFAULT '';
        CREATE INDEX steps_by_key ON steps (step_key) WHERE step_key <> '';
    """,
    3: """
        ALTER TABLE steps ADD COLUMN choices TEXT NOT NULL DEFAULT '{}';
        ALTER TABLE steps ADD COLUMN reasons TEXT NOT NULL DEFAULT '[]';
    """,
}
"""Version to what makes it out of the one before."""


def migrate(db: sqlite3.Connection) -> int:
    """Make the tables, or bring them up to date; return the version that was found, 0 for a new file.

    A file of a newer program is refused: an older one would write rows that the newer cannot read.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        message = f"The job store is of version {found}, this program knows {SCHEMA_VERSION}."
        raise BugError(message, "Update the program.")
    if found == 0:
        _run(db, resources.files("coordinator.store").joinpath("schema.sql").read_text(), SCHEMA_VERSION)
    else:
        for version in range(found + 1, SCHEMA_VERSION + 1):
            _run(db, _TO[version], version)
    return found


def _run(db: sqlite3.Connection, script: str, version: int) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={version};\nCOMMIT;")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
