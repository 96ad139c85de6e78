"""Which code this checkout has: what runs since before a `git pull` has another one."""

from __future__ import annotations

import hashlib
from pathlib import Path

__all__ = ["RESTART", "code_digest"]

RESTART = "cpw down && make up"
"""What mends a house whose processes run the code of before: `make up` builds what the new code needs."""
_ROOMS = ("protocol", "workers", "coordinator", "envspecs", "cluster")
_KINDS = frozenset({".py", ".sql"})


def code_digest(root: Path | None = None) -> str:
    """Return a digest of the code that the house runs; that of commands is none of it.

    Empty where it cannot be read: a file that is written this moment says nothing.
    """
    top = root or Path(__file__).resolve().parent.parent
    digest = hashlib.sha256()
    try:
        for path in sorted(path for room in _ROOMS for path in (top / room).rglob("*")):
            if path.suffix in _KINDS:
                digest.update(f"{path.relative_to(top)}\0".encode())
                digest.update(hashlib.sha256(path.read_bytes()).digest())
        digest.update((top / "supervisor.py").read_bytes())
    except OSError:
        return ""
    return digest.hexdigest()[:12]
