"""Who may come in: the token of the state folder, and what is derived from it.

The token is 32 random bytes. Of it are made, by HMAC-SHA256, the cookie of a page and the word in the path of
a web hook: whoever learns one of these learns nothing of the token, and a new token ends them all.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from envspecs.secret_file import made_secret
from protocol.clock import now_ms

__all__ = ["Keys", "let_in_once", "make_once", "read_keys", "token_file"]

_TOKEN_BYTES = 32
_ONCE_S = 600.0
"""A one-time word that nobody used is of no use after ten minutes."""


@dataclass(frozen=True, kw_only=True)
class Keys:
    """What opens the door."""

    token: str

    @property
    def session(self) -> str:
        """The cookie of a page that was let in."""
        return self._derived("session")

    @property
    def hooks(self) -> str:
        """The word in the path of web hooks: it opens nothing else."""
        return self._derived("hooks")

    def _derived(self, purpose: str) -> str:
        return hmac.new(self.token.encode(), purpose.encode(), hashlib.sha256).hexdigest()

    def is_token(self, word: str) -> bool:
        """Return whether it is the token, in a time that tells nothing."""
        return hmac.compare_digest(word.encode(), self.token.encode())

    def is_session(self, word: str) -> bool:
        """Return whether it is the cookie."""
        return hmac.compare_digest(word.encode(), self.session.encode())

    def is_hooks(self, word: str) -> bool:
        """Return whether it opens the web hooks."""
        return hmac.compare_digest(word.encode(), self.hooks.encode()) or self.is_token(word)


def token_file(state: Path) -> Path:
    """Return where the token lies."""
    return state / "http.token"


def read_keys(state: Path) -> Keys:
    """Return the keys; the token is made where there is none. Readable by its owner alone."""
    return Keys(token=made_secret(token_file(state)))


def make_once(state: Path) -> str:
    """Return a word that lets one browser in, once, within ten minutes."""
    word = secrets.token_urlsafe(_TOKEN_BYTES)
    folder = _once_folder(state)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        if _age_s(old) > _ONCE_S:
            old.unlink(missing_ok=True)
    # Only its hash is kept: who reads the folder later cannot come in by it.
    (folder / _hash(word)).touch(mode=0o600)
    return word


def let_in_once(state: Path, word: str) -> bool:
    """Return whether the word lets one in; it does not a second time."""
    path = _once_folder(state) / _hash(word)
    try:
        young = _age_s(path) <= _ONCE_S
        path.unlink()  # of two that come at once, one finds it
    except FileNotFoundError:
        return False
    return young


def _once_folder(state: Path) -> Path:
    return state / "http-once"


def _hash(word: str) -> str:
    return hashlib.sha256(word.encode()).hexdigest()


def _age_s(path: Path) -> float:
    return now_ms() / 1000 - path.stat().st_mtime
