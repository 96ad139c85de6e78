"""What a build or a fetch says while it goes on; `__main__` shows it, tests collect it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

__all__ = ["Report", "Silent", "step"]


class Report(Protocol):
    """Who is told."""

    def line(self, text: str) -> None:
        """Take a line."""

    def progress(self, text: str, done: int, total: int) -> None:
        """Take how far something of known size is, in bytes; `done == total` ends it."""


class Silent:
    """Tells nobody."""

    def line(self, text: str) -> None:
        """Drop the line."""

    def progress(self, text: str, done: int, total: int) -> None:
        """Drop the progress."""


@contextmanager
def step(report: Report, text: str) -> Iterator[None]:
    """Say what begins, and how long it took when it succeeded."""
    started = time.monotonic()
    report.line(f"{text} ...")
    yield
    report.line(f"{text}: {time.monotonic() - started:.1f} s")
