"""Files by their sha256, on the disk of a node: each comes once, and what is not used any more goes."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import secrets
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from cluster.files.bound import Kept, taken, what_goes
from cluster.files.part import Part, node_disk_error, opened
from cluster.files.records import Records
from cluster.files.sharing import named_artefacts
from envspecs.sizes import taken_by
from protocol.artefacts import Artefact, sync_directory
from protocol.clock import now_ms
from protocol.errors import DiskFullError, InputError, TransientError

__all__ = ["Cache"]

log = logging.getLogger(__name__)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PART = ".part"
_TRIES = 3
_SHARE = 20
"""All is looked at when a twentieth of the bound has come since the last time, and so much is freed then."""


class Cache:
    """`<folder>/<sha256>`; every thread may use it. `records` say which files running calls need."""

    def __init__(self, folder: Path, records: Records, most_bytes: int, spare_bytes: int) -> None:
        self._folder = folder
        self._records = records
        self._most_bytes = most_bytes
        self._spare_bytes = spare_bytes
        self._counting = threading.Lock()
        self._added = most_bytes
        """Bytes since all was looked at; at the start nobody knows."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def put(self, file: Artefact, target: Path, bring: Callable[[Part], None]) -> None:
        """Have the file at `target`: linked from here, and brought here first where it is not.

        `bring` is called for one of those that want the same file at once; what it brings is checked.
        Raises what it raises, `InputError` for a hash that is none, `DiskFullError`.
        """
        for _ in range(_TRIES):
            self._have(file, bring)
            # A person may have emptied the folder this moment.
            with contextlib.suppress(FileNotFoundError):
                self._give(self._path(file), target)
                return
        message = f"The file {file.path} went again and again from {self._folder}."
        raise TransientError(message, "Look what else removes files there.")

    def take(self, file: Artefact, made: Path) -> None:
        """Take in a file that a call here has made: the next call need not fetch it."""
        path = self._path(file)
        if not self._has(file):
            try:
                _link_or_copy(made, path)
            except OSError as error:
                log.info("%s stays out of the cache: %s", file.path, error)
                return
            self._count(file.size)

    def keep_within(self) -> None:
        """Remove what is too much, if enough came since the last time to make that likely."""
        if self._added * _SHARE > self._most_bytes:
            self.shrink(self._most_bytes - self._most_bytes // _SHARE)

    def shrink(self, most_bytes: int) -> None:
        """Remove what no running call needs, the oldest use first, until the rest takes `most_bytes`."""
        with self._records.lock:
            kept = [*self._cached(), *self._jobs()]
            gone = what_goes(kept, most_bytes)
            for thing in gone:
                log.info("%s is removed from this node: it was not used for long", thing.path.name)
                if thing.path.is_dir():
                    shutil.rmtree(thing.path, ignore_errors=True)
                else:
                    thing.path.unlink(missing_ok=True)
            # Where running calls hold too much, their ends are looked at too.
            is_too_much = taken(thing for thing in kept if thing not in gone) > most_bytes
            self._added = self._most_bytes if is_too_much else 0

    def _have(self, file: Artefact, bring: Callable[[Part], None]) -> None:
        path = self._path(file)
        if not self._has(file):
            with opened(path.with_name(f"{path.name}{_PART}")) as part:
                # While this one waited for the part, another may have brought the file.
                if self._has(file):
                    part.path.unlink(missing_ok=True)
                else:
                    self._require_room(file, file.size - part.size)
                    bring(part)
                    part.path.replace(path)
                    sync_directory(self._folder)
                    self._count(file.size)
        with contextlib.suppress(OSError):
            os.utime(path)

    def _require_room(self, file: Artefact, need_bytes: int) -> None:
        if self._has_room(need_bytes):
            return
        self.shrink(0)
        if not self._has_room(need_bytes):
            message = (
                f"The node {os.uname().nodename} has no room for {file.path}: {need_bytes / 1e6:,.0f} MB are "
                f"needed in {self._folder}, and {self._spare_bytes / 1e6:,.0f} MB stay free."
            )
            raise DiskFullError(message, "Make room there, then: cpw resume")

    def _has_room(self, need_bytes: int) -> bool:
        return need_bytes + self._spare_bytes <= shutil.disk_usage(self._folder).free

    def _path(self, file: Artefact) -> Path:
        if not _SHA256.fullmatch(file.sha256):
            message = f"The file {file.path} has no sha256 but {file.sha256!r}."
            raise InputError(message)
        return self._folder / file.sha256

    def _has(self, file: Artefact) -> bool:
        try:
            return self._path(file).stat().st_size == file.size
        except OSError:
            return False

    def _give(self, path: Path, target: Path) -> None:
        if target.exists() and target.samefile(path):
            return
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _link_or_copy(path, target)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise node_disk_error(error, target) from error

    def _count(self, size: int) -> None:
        with self._counting:
            self._added += size

    def _cached(self) -> list[Kept]:
        needed = {
            file.sha256
            for folder in self._records.job_folders()
            for call in self._records.running(folder)
            for file in named_artefacts(call.request)
        }
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(OSError):
                stat = path.stat()
                # A part that nobody goes on with is as old as its last byte.
                sha256 = path.name.removesuffix(_PART)
                files = {(stat.st_dev, stat.st_ino): stat.st_blocks * 512}
                found.append(Kept(path=path, used_ns=stat.st_mtime_ns, files=files, in_use=sha256 in needed))
        return found

    def _jobs(self) -> list[Kept]:
        found = []
        for folder in self._records.job_folders():
            in_use = any(True for _ in self._records.running(folder))
            with contextlib.suppress(OSError):
                used_ns = folder.stat().st_mtime_ns
                found.append(Kept(path=folder, used_ns=used_ns, files=taken_by(folder).files, in_use=in_use))
        return found


def _link_or_copy(source: Path, target: Path) -> None:
    """Have the file at `target`, whole or not at all."""
    aside = target.with_name(f".{target.name[:64]}.{now_ms()}.{secrets.token_hex(4)}")
    try:
        try:
            aside.hardlink_to(source)
        except FileNotFoundError:
            raise
        except OSError:
            # A disk that knows no links, or has too many to this file.
            shutil.copyfile(source, aside)
        aside.replace(target)
    finally:
        # A rename onto another name of the same file leaves both.
        aside.unlink(missing_ok=True)
