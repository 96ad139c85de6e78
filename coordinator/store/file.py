"""The store's file: opening it, and telling it from another of its name."""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["connect", "identity"]


def connect(path: Path) -> sqlite3.Connection:
    """Open the file: what is committed survives a power cut."""
    db = sqlite3.connect(path, isolation_level=None)
    db.row_factory = sqlite3.Row
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000"):
        db.execute(f"PRAGMA {pragma}")
    return db


def identity(path: Path) -> tuple[int, int] | None:
    """Return what tells this file from others of its name; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
