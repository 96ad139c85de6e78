"""What a person says of the endpoint, by environment variables; and how long it is waited for."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from protocol.errors import MissingError, UsageError
from protocol.jobs.addresses import host_of, is_this_machine
from protocol.stages.translate import STAGE

__all__ = ["Patience", "Settings", "patience_for", "read_settings"]

_URL = "CPW_LLM"
_MODEL = "CPW_LLM_MODEL"
_KEY_FILE = "CPW_LLM_KEY_FILE"
_SCALE = "CPW_BUDGET_SCALE"
_EXAMPLE = "http://127.0.0.1:11434/v1"
_NEVER = frozenset(" \\")
_MOST_KEY_BYTES = 10_000
_FIRST_S, _BETWEEN_S, _TOTAL_S = 300.0, 120.0, 900.0
_SHARE_OF_BUDGET = 0.8


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Which endpoint, which of its models, with which key."""

    url: str
    """The base address, without a slash at its end."""
    model: str = ""
    """Empty: the first that the endpoint lists."""
    key: str = field(default="", repr=False)
    """Empty: none is sent. It is in no text that anybody sees."""

    @property
    def place(self) -> str:
        """Return host and port, for a person."""
        return host_of(self.url)

    @property
    def is_this_machine(self) -> bool:
        """Return whether no text leaves this machine: the address is a loopback's."""
        return is_this_machine(self.url)


@dataclass(frozen=True, kw_only=True)
class Patience:
    """How long is waited, in seconds, and how often a request is sent again."""

    first_s: float = _FIRST_S
    """For the first word of an answer: a long prompt takes a slow machine minutes."""
    between_s: float = _BETWEEN_S
    """For the next word."""
    total_s: float = _TOTAL_S
    """For a whole answer, however it comes."""
    film_s: float = float("inf")
    """For all answers of a film."""
    retries: int = 3
    """How often a request is sent again that the endpoint could not take (429, 5xx): after what it says in
    `Retry-After`, two minutes at most, otherwise after 0.5 to 8 s."""


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Return what the variables say.

    Raises `MissingError` where no endpoint is named, `UsageError` for a value that is wrong or a file with
    the key that others may read. No message holds an address with a secret or the key.
    """
    url = environ.get(_URL, "").strip().rstrip("/")
    if not url:
        message = f"{_URL} is not set, so there is no language model to ask."
        raise MissingError(message, f"Name its address before cpw up: export {_URL}={_EXAMPLE}")
    if not _is_address(url):
        raise UsageError(f"{_URL} is not the base address of an endpoint.", f"Write {_URL}={_EXAMPLE}")
    file = environ.get(_KEY_FILE, "").strip()
    return Settings(url=url, model=environ.get(_MODEL, "").strip(), key=_key(Path(file)) if file else "")


def _is_address(url: str) -> bool:
    if not url.isprintable() or _NEVER.intersection(url):
        # One library would read another host in it than the next.
        return False
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return False
    # The address is shown: one with a password or a key in it is refused.
    secret = parts.username or parts.password or parts.query or parts.fragment
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and not secret


def _key(file: Path) -> str:
    """Return the key in the file, which nobody else may read."""
    remedy = f"Put the key alone into a file of yours: chmod 600 {file}"
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as opened:
            found = os.fstat(opened.fileno())
            data = opened.read(_MOST_KEY_BYTES) if stat.S_ISREG(found.st_mode) else b""
    except OSError as error:
        message = f"The file {file} of {_KEY_FILE} cannot be read: {error.strerror}."
        raise UsageError(message, remedy) from error
    if found.st_mode & 0o077 or found.st_uid != os.geteuid():
        message = f"The file {file} of {_KEY_FILE} can be read or written by others, or is not yours."
        raise UsageError(message, remedy)
    words = data.decode("ascii", errors="replace").split()
    if len(words) != 1 or not words[0].isprintable() or "\ufffd" in words[0]:
        message = f"The file {file} of {_KEY_FILE} does not hold a key: one word of ASCII."
        raise UsageError(message, remedy)
    return words[0]


def patience_for(film_ms: int, environ: Mapping[str, str]) -> Patience:
    """Return how long is waited in a call for a film of this length.

    A call that takes longer than its budget costs the worker its life: what is not translated by then is
    left, before. A short film waits less for an answer, too.
    """
    try:
        scale = float(environ.get(_SCALE, "") or 1.0)
    except ValueError:
        scale = 1.0
    budget_s = (STAGE.budget_ms + STAGE.budget_per_media * film_ms) / 1_000
    return Patience(
        first_s=_FIRST_S * scale,
        between_s=_BETWEEN_S * scale,
        total_s=min(_TOTAL_S, budget_s) * scale,
        film_s=_SHARE_OF_BUDGET * budget_s * scale,
    )
