"""Which words of a command line are addresses. Pure, but for a look whether there is such a file."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from protocol.errors import UsageError

__all__ = ["FetchOptions", "check_address", "is_address", "parse_size", "without_password"]

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_PASSWORD = re.compile(r"(://[^/\s:@]*:)[^/\s@]+@")
_SIZE = re.compile(r"(\d{1,9}(?:[.,]\d{1,3})?)\s*([KMGT]?)i?B?", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


@dataclass(frozen=True, kw_only=True)
class FetchOptions:
    """How addresses are fetched, as it was written."""

    playlist: bool = False
    allow_local: bool = False
    cookies: str | None = None
    max_size: str | None = None

    def used(self) -> str:
        """Return the first option that says something; empty where none does."""
        said = (
            ("--playlist", self.playlist),
            ("--allow-local", self.allow_local),
            ("--cookies", self.cookies is not None),
            ("--max-size", self.max_size is not None),
        )
        return next((option for option, used in said if used), "")


def is_address(word: str) -> bool:
    """Return whether the word is an address and not a file's name."""
    return _ADDRESS.match(word) is not None and "\0" not in word and not os.path.lexists(word)


def check_address(word: str) -> None:
    """Raise `UsageError` for an address that nothing can lie at: its host or its port is none."""
    try:
        parts = urlsplit(word)
        whole = parts.hostname and parts.port != 0
    except ValueError:
        whole = False
    if not whole and _scheme(word) in ("http", "https"):
        message = f"{without_password(word)} is no address: its host or its port cannot be."
        raise UsageError(message, "Copy it from a browser.")


def _scheme(word: str) -> str:
    return word.partition("://")[0].casefold()


def without_password(text: str) -> str:
    """Return the text with the passwords of its addresses left out."""
    return _PASSWORD.sub(r"\1***@", text)


def parse_size(written: str | None) -> int:
    """Return bytes from `4G`, `700 MB` or `1.5gb`; 0 where nothing is written."""
    if written is None:
        return 0
    found = _SIZE.fullmatch(written.strip())
    size = round(float(found[1].replace(",", ".")) * _UNITS[found[2].upper()]) if found else 0
    if size < 1:
        raise UsageError(f"--max-size {written!r} is not a size.", "Write for example 4G or 700M.")
    return size
