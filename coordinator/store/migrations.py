"""Brings a job store of an older version up to date: one transaction for each version."""

from __future__ import annotations

import sqlite3
from importlib import resources

from protocol.errors import BugError

__all__ = ["SCHEMA_VERSION", "migrate"]

SCHEMA_VERSION = 4
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
    4: """
        ALTER TABLE jobs ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE jobs ADD COLUMN part_of TEXT NOT NULL DEFAULT '';
        CREATE INDEX jobs_by_revision ON jobs (revision);
        CREATE INDEX jobs_by_part ON jobs (part_of) WHERE part_of <> '';
        CREATE INDEX jobs_by_film ON jobs (json_extract(submit, '$.media'), seq);
        CREATE TABLE changes (last INTEGER NOT NULL);
        INSERT INTO changes VALUES (0);
        CREATE TABLE removed_jobs (revision INTEGER PRIMARY KEY, id TEXT NOT NULL);
        CREATE TRIGGER job_added AFTER INSERT ON jobs BEGIN
            UPDATE changes SET last = last + 1;
            UPDATE jobs SET revision = (SELECT last FROM changes) WHERE seq = NEW.seq;
        END;
        CREATE TRIGGER job_changed
        AFTER UPDATE OF state, priority, ended_at, elapsed_ms, language, language_probability, notes ON jobs
        BEGIN
            UPDATE changes SET last = last + 1;
            UPDATE jobs SET revision = (SELECT last FROM changes) WHERE seq = NEW.seq;
        END;
        CREATE TRIGGER step_changed AFTER UPDATE ON steps BEGIN
            UPDATE changes SET last = last + 1;
            UPDATE jobs SET revision = (SELECT last FROM changes) WHERE seq = NEW.job;
        END;
        CREATE TRIGGER job_removed AFTER DELETE ON jobs BEGIN
            UPDATE changes SET last = last + 1;
            INSERT INTO removed_jobs VALUES ((SELECT last FROM changes), OLD.id);
            DELETE FROM removed_jobs WHERE revision <= (SELECT last FROM changes) - 10000;
        END;
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
