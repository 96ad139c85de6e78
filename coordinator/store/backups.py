"""Keeps the job store safe: one coordinator, a local disk, a check and a backup at every start.

A damaged file is moved aside and kept; the newest whole backup takes its place.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import json
import logging
import os
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from coordinator.store.store import Store
from protocol.artefacts import sync_directory, sync_file
from protocol.clock import now_iso
from protocol.errors import NotRunningError, UsageError

__all__ = [
    "StoreWatch",
    "backups",
    "find_damage",
    "hold",
    "is_full",
    "notices",
    "open_store",
    "refuse_network",
]

log = logging.getLogger(__name__)

KEPT = 3
"""So many are kept, and the one that knows most jobs: a store that lost its jobs must not push it out."""
_BACKUP = re.compile(r"jobs\.backup-(\d+)\.sqlite")
_CHECK_S = 30.0
BACKUP_S = 10.0
"""A backup that takes longer is given up."""
BACKUP_PAGES = 1_000
"""Copied at once, before the time is looked at."""
_OPCODES = 100_000
_LOOK_EVERY_S = 2.0
_FACT = "damage"
_NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smbfs", "smb3", "afs", "afpfs", "ceph", "glusterfs", "lustre", "beegfs", "sshfs")
) | {"fuse.sshfs", "fuse.glusterfs"}
"""Their locks do not work reliably: SQLite's file would be damaged sooner or later."""


@contextlib.contextmanager
def hold(state: Path) -> Iterator[None]:
    """Lock the state folder; raises `NotRunningError` where another coordinator has locked it."""
    state.mkdir(parents=True, exist_ok=True)
    with (state / "coordinator.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            message = (
                f"Another coordinator (process {lock.read().strip() or '?'}) has the job store in {state}."
            )
            raise NotRunningError(
                message, "Stop it (make down there), or set CPW_STATE elsewhere."
            ) from error
        lock.truncate(0)
        # Only people read it, so a full disk does not matter here.
        with contextlib.suppress(OSError):
            lock.write(str(os.getpid()))
            lock.flush()
        yield


def refuse_network(state: Path, mounts: Iterable[tuple[str, str]] | None = None) -> None:
    """Raise `UsageError` where `state` is on a network file system; `mounts` are folders and their types."""
    mounts = _mounts() if mounts is None else mounts
    place = state.resolve()
    inside = [mount for mount in mounts if place.is_relative_to(mount[0])]
    kind = max(inside, key=lambda mount: len(mount[0]), default=("", ""))[1]
    if kind in _NETWORK:
        message = f"The job store cannot lie on a network file system: {state} is {kind}."
        raise UsageError(message, "Set CPW_STATE to a folder on a local disk, then: make down up")


def _mounts() -> list[tuple[str, str]]:
    try:
        return [(partition.mountpoint, partition.fstype) for partition in psutil.disk_partitions(all=True)]
    except OSError as error:
        log.warning("the types of the file systems cannot be read: %s", error)
        return []


def open_store(state: Path) -> Store:
    """Check the store in `state`, replace it by a backup where it is damaged, open it and back it up."""
    path = state / "jobs.sqlite"
    sentence, aside = "", path
    damage = find_damage(path) if path.exists() else ""
    if not damage and backups(state) and not (path.exists() and path.stat().st_size):
        damage = "it is empty" if path.exists() else "it was removed"
    if damage:
        sentence, aside = _mend(state, path, damage)
    store = Store(path)
    if sentence:
        log.critical("%s", sentence)
        store.set_fact(_FACT, json.dumps({"sentence": sentence, "aside": str(aside)}))
    _back_up(state, path)
    return store


def notices(store: Store) -> tuple[str, ...]:
    """Return what to tell a person of the store, for as long as a damaged file lies beside it."""
    fact = store.get_fact(_FACT)
    if not fact:
        return ()
    known = json.loads(fact)
    return (known["sentence"],) if Path(known["aside"]).exists() else ()


class StoreWatch:
    """Looks whether the store's file is still there. Used by the loop's thread alone."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._look_again_s = 0.0

    def look(self, now_s: float) -> None:
        """Write the file again where somebody removed it, or put another in its place."""
        if now_s < self._look_again_s:
            return
        self._look_again_s = now_s + _LOOK_EVERY_S
        if self._store.is_in_place():
            return
        path = self._store.path
        aside = _aside(path)
        try:
            if path.exists():
                path.rename(aside)
            self._store.put_back()
        except (OSError, sqlite3.Error):
            log.exception("the job store %s is gone and cannot be written again yet", path)
            return
        log.critical("the job store %s was removed; it is written again, and no job is lost", path)


def find_damage(path: Path) -> str:
    """Return what is wrong with a store's file, empty where the check finds nothing in its time."""
    until_s = time.monotonic() + _CHECK_S
    with _connected(path) as db:
        db.set_progress_handler(lambda: time.monotonic() > until_s, _OPCODES)
        try:
            found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
        except sqlite3.OperationalError as error:
            # This says nothing about the file: the check took too long, or the disk is full.
            log.warning("the job store was not checked: %s", error)
            return ""
        except sqlite3.DatabaseError as error:
            return str(error)
    return "" if found == "ok" else found.partition("\n")[0]


def backups(state: Path) -> list[Path]:
    """Return the backups, the newest first."""
    found = {path: _BACKUP.fullmatch(path.name) for path in state.glob("jobs.backup-*.sqlite")}
    numbered = {path: int(match[1]) for path, match in found.items() if match}
    return sorted(numbered, key=lambda path: -numbered[path])


def _mend(state: Path, path: Path, damage: str) -> tuple[str, Path]:
    """Put the newest whole backup in place of a damaged file; return a sentence, and where the file is."""
    aside = _aside(path)
    for ending in ("-wal", "-shm", ""):
        part = path.with_name(path.name + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    whole = next((backup for backup in backups(state) if not find_damage(backup)), None)
    said = f"The job store was damaged ({damage})"
    said += f" and lies in {aside} now." if aside.exists() else "."
    if whole is None:
        return f"{said} There is no backup: earlier jobs are in their folders only.", aside
    made = dt.datetime.fromtimestamp(whole.stat().st_mtime, dt.UTC).astimezone()
    _copy(whole, path)
    sentence = f"{said} The backup of {made:%d %b %H:%M:%S} is used: it lacks the jobs that came later."
    # Where no damaged file is left to look at, the sentence is said as long as that backup is kept.
    return sentence, aside if aside.exists() else whole


def _aside(path: Path) -> Path:
    return path.with_name(f"jobs.damaged-{re.sub(r'[^0-9]', '', now_iso())}.sqlite")


def _connected(path: Path) -> contextlib.closing[sqlite3.Connection]:
    return contextlib.closing(sqlite3.connect(path, isolation_level=None))


def _copy(source: Path, target: Path) -> None:
    part = target.with_name(target.name + ".part")
    shutil.copyfile(source, part)
    part.chmod(0o600)
    sync_file(part)
    part.rename(target)
    sync_directory(target.parent)


def _back_up(state: Path, path: Path) -> None:
    """Copy the store and keep the newest copies; the start goes on without a copy on a full disk."""
    known = backups(state)
    number = int(match[1]) + 1 if known and (match := _BACKUP.fullmatch(known[0].name)) else 1
    part = state / "jobs.backup.part"
    until_s = time.monotonic() + BACKUP_S

    def look(_status: int, left: int, _total: int) -> None:
        if left and time.monotonic() > until_s:
            message = f"it takes more than {BACKUP_S:.0f} s"
            raise TimeoutError(message)

    try:
        part.unlink(missing_ok=True)
        part.touch(mode=0o600)
        with (
            _connected(path) as source,
            _connected(part) as copy,
        ):
            source.backup(copy, pages=BACKUP_PAGES, progress=look)
        sync_file(part)
        part.rename(state / f"jobs.backup-{number}.sqlite")
    except (OSError, sqlite3.Error) as error:
        log.warning("no backup of the job store was made: %s", error)
        part.unlink(missing_ok=True)
        return
    known = backups(state)
    fullest = max(known, key=_jobs_ever)
    for old_backup in known[KEPT:]:
        if old_backup != fullest:
            old_backup.unlink(missing_ok=True)


def _jobs_ever(backup: Path) -> int:
    """Return how many jobs a backup's store ever had; removing jobs does not change it."""
    try:
        with _connected(backup) as db:
            row = db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'jobs'").fetchone()
    except sqlite3.Error:
        return -1
    return int(row[0]) if row else 0


def is_full(error: sqlite3.Error) -> bool:
    """Return whether the disk is full: this write is lost, everything else in the store is safe."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
