"""A secret of ours in a file of its own: made once, readable by its owner alone."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

__all__ = ["made_secret"]

_BYTES = 32


def made_secret(path: Path) -> str:
    """Return the secret in the file; it is made where there is none, and its folder (0700) too.

    Raises `OSError`.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        # Written aside and linked: of two that make it at once one counts, and nobody reads half of it.
        part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        if not path.exists():
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(_BYTES) + "\n")
            try:
                os.link(part, path)
            finally:
                part.unlink()
    path.chmod(0o600)
    return path.read_text().strip()
