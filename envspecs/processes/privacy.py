"""Who may read what the program writes: its owner alone, unless a person sets `CPW_UMASK`."""

from __future__ import annotations

import logging
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from envspecs.cluster.settings import cluster_directory
from envspecs.layout import logs_directory, out_directory
from protocol.errors import UsageError

__all__ = ["narrow", "own_folders", "umask_of"]

log = logging.getLogger("supervisor")

_VARIABLE = "CPW_UMASK"
_OWN = 0o700
_SHARED_ON_PURPOSE = stat.S_ISVTX | stat.S_ISGID


def umask_of(environ: Mapping[str, str]) -> int:
    """Return the umask of every process of the house: `CPW_UMASK`, else 077.

    Raises `UsageError` where the variable is no umask, or would keep the house itself out.
    """
    text = environ.get(_VARIABLE, "") or "077"
    umask = int(text, 8) if re.fullmatch(r"[0-7]{1,4}", text) else -1
    if umask < 0 or umask & _OWN or umask > 0o777:
        message = f"{_VARIABLE} is {text!r}, not a umask that leaves you all rights."
        raise UsageError(message, f"Write for instance: {_VARIABLE}=022 (others may read), {_VARIABLE}=077")
    return umask


def own_folders(home: Path, state: Path) -> Iterator[Path]:
    """Yield the folders that are ours alone; one that a person has chosen for the jobs is not."""
    logs = logs_directory(home)
    yield from (state, logs, logs / "stacks", cluster_directory(state))
    if out_directory(home) == home / "out":
        yield home / "out"


def narrow(folders: Iterable[Path], umask: int) -> None:
    """Take from folders of ours, and the files directly in them, the rights that the umask does not give.

    A folder stays that is shared on purpose (its sticky or setgid bit is set), is a link or is another's.
    """
    for folder in folders:
        if folder.is_dir() and not folder.is_symlink():
            changed = [path for path in (folder, *folder.iterdir()) if _narrow(path, umask, folder)]
            if changed:
                log.info("%s was open to others: modes changed: %d", folder, len(changed))


def _narrow(path: Path, umask: int, folder: Path) -> bool:
    try:
        found = path.lstat()
        wide = stat.S_IMODE(found.st_mode) & umask
        ours = found.st_uid == os.getuid() and (path == folder or stat.S_ISREG(found.st_mode))
        if not wide or not ours or (path == folder and found.st_mode & _SHARED_ON_PURPOSE):
            return False
        path.chmod(stat.S_IMODE(found.st_mode) & ~umask)
    except OSError as error:  # it went meanwhile, or its disk knows no rights
        log.warning("%s cannot be closed to others: %s", path, error.strerror)
        return False
    return True
