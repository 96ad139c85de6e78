"""Where the sockets lie: a runtime directory that only its owner can enter."""

from __future__ import annotations

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from protocol.errors import UsageError

__all__ = [
    "client_endpoint",
    "http_address_file",
    "prepare_runtime_directory",
    "runtime_directory",
    "worker_endpoint",
    "worker_socket",
]

# sun_path is 108 bytes on Linux and 104 on macOS, the closing NUL included.
_MAX_IPC_PATH_BYTES = 103 if sys.platform == "darwin" else 107


def runtime_directory(home: Path) -> Path:
    """Return the runtime directory of the checkout at `home`; `CPW_RUNTIME` overrides it.

    Short, because ipc paths are limited, and different for each checkout and user.
    """
    if override := os.environ.get("CPW_RUNTIME"):
        return Path(override)
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    tag = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:8]
    return Path(base) / f"cpw-{os.getuid()}-{tag}"


def prepare_runtime_directory(path: Path) -> None:
    """Create the directory 0700, or refuse one that is a symlink, another's, or open to others."""
    try:
        path.mkdir(mode=0o700, parents=False)
    except FileExistsError:
        pass
    except OSError as error:
        message = f"The runtime directory {path} cannot be made: {error.strerror}."
        raise UsageError(message, "Name another with CPW_RUNTIME.") from error
    found = path.lstat()
    problem = ""
    if stat.S_ISLNK(found.st_mode) or not stat.S_ISDIR(found.st_mode):
        problem = "is not a directory of its own but a link or a file"
    elif found.st_uid != os.getuid():
        problem = f"belongs to user id {found.st_uid}, not to you ({os.getuid()})"
    elif stat.S_IMODE(found.st_mode) & 0o077:
        problem = f"is open to others (mode {stat.S_IMODE(found.st_mode):04o})"
    if problem:
        message = f"The runtime directory {path} {problem}."
        raise UsageError(message, f"Remove it, or: chmod 700 {path}")
    _endpoint(path, "w")


def worker_endpoint(directory: Path) -> str:
    """Return the address of the coordinator's socket for workers."""
    return _endpoint(directory, "w")


def worker_socket(directory: Path) -> Path:
    """Return the file of the socket for workers; it is there while coordinator or relay listens."""
    return directory / "w"


def client_endpoint(directory: Path) -> str:
    """Return the address of the coordinator's socket for clients."""
    return _endpoint(directory, "c")


def http_address_file(directory: Path) -> Path:
    """Return the file in which the HTTP server says its address: `http://127.0.0.1:8765`."""
    return directory / "http.address"


def _endpoint(directory: Path, name: str) -> str:
    path = directory / name
    length = len(os.fsencode(path))
    if length > _MAX_IPC_PATH_BYTES:
        message = f"The socket path {path} has {length} bytes; the system allows {_MAX_IPC_PATH_BYTES}."
        raise UsageError(message, "Name a shorter runtime directory with CPW_RUNTIME.")
    return f"ipc://{path}"
