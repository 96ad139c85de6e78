"""An environment's builds on the disk: the current one, the one before it, and what each was made by.

`venv/<name>` links to the current build, `venv/.builds/.<name>.previous` to the one before. Each holds copies
of the spec and the lock that it was made by, so that a rollback brings these back, too.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from envspecs.builds.installed import MARKER, read_marker
from envspecs.key import LOCK_COPY
from envspecs.layout import builds_directory, venv_path
from protocol.artefacts import write_whole
from protocol.clock import now_iso

__all__ = [
    "LOCK_COPY",
    "Sources",
    "current_build",
    "folders_of",
    "hold",
    "is_held",
    "is_proved",
    "keep_sources",
    "point",
    "previous_build",
    "previous_link",
    "prove",
    "remove",
    "remove_old",
    "sources_of",
]

_SPEC_COPY = "cpw-spec.toml"
_PROOF = "cpw-proved"


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The texts that a build was made by."""

    spec: str
    lock: str
    """Empty where there was none."""


def current_build(name: str, root: Path | None = None) -> Path | None:
    """Return the folder of the current build, or None where there is no whole one."""
    return _whole(venv_path(name, root), root)


def previous_build(name: str, root: Path | None = None) -> Path | None:
    """Return the folder of the build before the current one, or None where there is no whole one."""
    found = _whole(previous_link(name, root), root)
    return None if found == current_build(name, root) else found


def previous_link(name: str, root: Path | None = None) -> Path:
    """Return the link to the build before the current one; it may not exist."""
    return builds_directory(root) / f".{name}.previous"


def _whole(link: Path, root: Path | None) -> Path | None:
    found = Path(os.path.realpath(link))
    ours = found.parent == builds_directory(root).resolve()
    return found if ours and read_marker(found) else None


def point(link: Path, folder: Path) -> None:
    """Point the link to the folder in one step: there is no moment without an environment."""
    aside = link.with_name(f".{link.name}.{os.getpid()}.link")
    aside.unlink(missing_ok=True)
    aside.symlink_to(os.path.relpath(folder, link.parent.resolve()))
    aside.replace(link)


def keep_sources(build: Path, sources: Sources) -> None:
    """Lay copies of what the build is made by into it."""
    write_whole(build / LOCK_COPY, sources.lock.encode())
    write_whole(build / _SPEC_COPY, sources.spec.encode())


def sources_of(build: Path) -> Sources | None:
    """Return what the build was made by; None for one that is older than these copies."""
    try:
        return Sources(
            spec=(build / _SPEC_COPY).read_text(encoding="utf-8"), lock=(build / LOCK_COPY).read_text()
        )
    except (OSError, UnicodeDecodeError):
        return None


def prove(build: Path) -> None:
    """Write down that a worker in this build has done a call."""
    if not is_proved(build):
        (build / _PROOF).write_text(now_iso() + "\n")


def is_proved(build: Path) -> bool:
    """Return whether a worker in this build has ever done a call."""
    return (build / _PROOF).is_file()


def hold(build: Path) -> int | None:
    """Keep the build from being removed until the descriptor is closed; None where it is not whole."""
    try:
        descriptor = os.open(build / MARKER, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_held(build: Path) -> bool:
    """Return whether a process uses the build."""
    try:
        descriptor = os.open(build / MARKER, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def remove_old(builds: Path, name: str, keep: set[Path]) -> None:
    """Remove the environment's builds but those to keep and those that workers run in."""
    for folder in folders_of(name, builds):
        if folder not in keep and not is_held(folder):
            remove(folder)


def folders_of(name: str, builds: Path) -> list[Path]:
    """Return the environment's build folders, whole or not."""
    own = re.compile(rf"{re.escape(name)}-[0-9a-f]{{12}}(-r\d+)?")
    return sorted(path for path in builds.iterdir() if own.fullmatch(path.name))


def remove(folder: Path) -> None:
    """Remove a build, its marker first: a removal that is cut short must leave none that looks whole."""
    (folder / MARKER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
