"""The token of a cluster: whoever has it owns every machine of it. One file, its owner's alone."""

from __future__ import annotations

import os
import re
import secrets
import stat
from pathlib import Path

from envspecs.cluster.settings import closed_folder, cluster_directory
from protocol.artefacts import write_whole
from protocol.errors import MissingError, UsageError

__all__ = [
    "check_token",
    "forget_token",
    "keep_token",
    "make_token",
    "parse_token",
    "read_token",
    "token_path",
]

_NAME = "token"
_BYTES = 32
_FORM = re.compile(r"[\x21-\x7e]{16,512}")
_MOST_BYTES = 4_096


def token_path(state: Path) -> Path:
    """Return where this machine keeps the token; the file may not exist."""
    return cluster_directory(state) / _NAME


def make_token(state: Path) -> Path:
    """Return the file of the token, made anew where there is none; raises what `read_token` does."""
    path = token_path(state)
    if path.exists():
        read_token(path)
    else:
        keep_token(state, secrets.token_hex(_BYTES))
    return path


def keep_token(state: Path, token: str, name: str = _NAME) -> Path:
    """Write the token into a file that only its owner can read, of another `name` where it is to be tried."""
    with closed_folder(state) as folder:
        write_whole(folder / name, token.encode())
    return folder / name


def forget_token(state: Path) -> None:
    """Remove the token from this machine."""
    token_path(state).unlink(missing_ok=True)


def check_token(state: Path) -> Path:
    """Return the file of the token; `MissingError` where there is none, `UsageError` where others read it."""
    path = token_path(state)
    if not path.exists():
        message = f"The token of the cluster is not there: {path}."
        raise MissingError(message, "cpw cluster leave (on the head: stop), then join or start again")
    read_token(path)
    return path


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises `UsageError` where the file cannot be read, others can read it, or it holds no token.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        message = f"The token file {path} cannot be read: {error.strerror}."
        raise UsageError(message, "Copy the head's token to this machine, with the mode 0600.") from error
    try:
        _check_closed(os.fstat(descriptor), path)
        return parse_token(os.read(descriptor, _MOST_BYTES), f"The token file {path}")
    finally:
        os.close(descriptor)


def _check_closed(found: os.stat_result, path: Path) -> None:
    """Raise `UsageError` unless this is a file that nobody else can read."""
    if not stat.S_ISREG(found.st_mode):
        message = f"The token file {path} is no file."
        raise UsageError(
            message, "Name a copy of the head's token; there cpw cluster status says where it lies."
        )
    problem = ""
    if found.st_uid not in (os.getuid(), 0):
        problem = f"belongs to user id {found.st_uid}"
    elif found.st_mode & 0o077:
        problem = f"can be read by others (mode {stat.S_IMODE(found.st_mode):04o})"
    if problem:
        message = f"The token file {path} {problem}, and whoever has the token owns every machine."
        raise UsageError(message, f"chmod 600 {path}; if others may have read it, make a new token.")


def parse_token(written: bytes, where: str) -> str:
    """Return the token in what was read from `where` ("The token file F"); `UsageError` where it is none."""
    token = written.decode("ascii", "replace").strip()
    if not token:
        remedy = (
            "Give --token-file FILE, or the token on stdin; on the head: cpw cluster status names the file"
        )
        raise UsageError(f"{where} holds no token.", remedy)
    if not _FORM.fullmatch(token):
        raise UsageError(f"{where} holds something else than a token.", "Copy the head's token file again.")
    return token
