"""Watches how much memory a process takes, while a test does something else."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

EVERY_S = 0.01


class Watch:
    """A context manager; `highest` is the most that was resident, in bytes, while it was open."""

    def __init__(self, pid: int) -> None:
        self.highest = 0
        self.looks = 0
        self._process = psutil.Process(pid)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(EVERY_S):
            try:
                self.highest = max(self.highest, self._process.memory_info().rss)
            except psutil.Error:
                return
            self.looks += 1
