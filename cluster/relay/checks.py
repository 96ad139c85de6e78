"""The files by which head and node find out whether a folder is the same on both."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Mapping
from pathlib import Path

from protocol.cluster.messages import SHARE_ANSWER, Share

__all__ = ["Checks"]

_SEEN_WITHIN_S = 3.0
"""A network's file system may show a new file of another machine a moment later."""
_LOOK_EVERY_S = 0.1


class Checks:
    """Makes the files of this node, looks for those of the head, and removes both.

    `shares` is a folder's path on the head to its path here.
    """

    def __init__(self, shares: Mapping[str, str]) -> None:
        self._shares = dict(shares)
        self._made: dict[str, Path] = {}
        self._unseen: set[str] = set()

    def make(self) -> tuple[Share, ...]:
        """Write a file into each share, and return the shares for the head to check.

        A share that cannot be written to, and one whose answer was not seen, is not offered.
        """
        self.remove()
        for head, here in self._shares.items():
            if head in self._unseen:
                continue
            path = Path(here) / f".cpw-check-{secrets.token_hex(8)}"
            with contextlib.suppress(OSError):
                path.write_text(secrets.token_hex(16), encoding="ascii")
                self._made[head] = path
        return tuple(
            Share(head=head, here=self._shares[head], check=path.name) for head, path in self._made.items()
        )

    def end(self, confirmed: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
        """Return the shares whose answer by the head is seen here, and a sentence about the others.

        The files are removed.
        """
        seen = tuple(head for head in confirmed if head in self._made and _has_answer(self._made[head]))
        self._unseen |= set(confirmed) - set(seen)
        self.remove()
        missing = [f"{head} (here {here})" for head, here in self._shares.items() if head not in seen]
        if not missing:
            return seen, ""
        folders = ", ".join(missing)
        return seen, f"Not the same folder on head and node, or not writable on both: {folders}."

    def remove(self) -> None:
        """Remove the files that are still there."""
        for path in self._made.values():
            for file in (path, _answer_of(path)):
                with contextlib.suppress(OSError):
                    file.unlink(missing_ok=True)
        self._made.clear()


def _answer_of(path: Path) -> Path:
    return path.with_name(path.name + SHARE_ANSWER)


def _has_answer(path: Path) -> bool:
    until_s = time.monotonic() + _SEEN_WITHIN_S
    while True:
        with contextlib.suppress(OSError):
            if _answer_of(path).read_bytes() == path.read_bytes():
                return True
        if time.monotonic() > until_s:
            return False
        time.sleep(_LOOK_EVERY_S)
