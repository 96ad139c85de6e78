"""A person's token for repositories that want one: shown to nobody but the tool that fetches."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from protocol.errors import UsageError

__all__ = ["TOKENS", "masked", "read_token", "token_file"]

TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")
"""Environment variables that hold a token: no other tool and no worker sees them."""


def token_file() -> Path:
    """Return the file of a person's settings in which the token may lie."""
    base = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(base) / "cpw" / "hub-token"


def read_token() -> str:
    """Return the token: `HF_TOKEN`, else the file's; empty where there is none.

    Raises `UsageError` for a file that others can read.
    """
    for name in TOKENS:
        if token := os.environ.get(name, "").strip():
            return token
    path = token_file()
    try:
        mode = path.stat().st_mode
    except OSError:
        return ""
    if stat.S_IMODE(mode) & 0o077:
        message = f"The token in {path} can be read by others; it was not used."
        raise UsageError(message, f"chmod 600 {path}")
    return path.read_text(encoding="utf-8").strip()


def masked(text: str, token: str) -> str:
    """Return the text without the token."""
    return text.replace(token, "***") if token else text
