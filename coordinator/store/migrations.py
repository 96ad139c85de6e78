"""Brings a job store of an older version up to date: one transaction for each version."""

from __future__ import annotations

import sqlite3
from importlib import resources

from protocol.errors import BugError

__all__ = ["SCHEMA_VERSION", "migrate"]

SCHEMA_VERSION = 3
"""The version of `schema.sql`."""

MIGRATIONS: dict[int, str] = {
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
"""Of each version: the statements that change a store of the version before into it."""


def migrate(db: sqlite3.Connection) -> int:
    """Make the tables, or bring them up to date; return the version that was found, 0 for a new file.

    Raises `BugError` for a store of a newer program, which could not read rows that this program writes.
    """
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if found > SCHEMA_VERSION:
        message = f"The job store is of version {found}, this program knows {SCHEMA_VERSION}."
        raise BugError(message, "Update the program.")
    if found == 0:
        _run(db, resources.files("coordinator.store").joinpath("schema.sql").read_text(), SCHEMA_VERSION)
    else:
        for version in range(found + 1, SCHEMA_VERSION + 1):
            _run(db, MIGRATIONS[version], version)
    return found


def _run(db: sqlite3.Connection, script: str, version: int) -> None:
    try:
        db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version={version};\nCOMMIT;")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
