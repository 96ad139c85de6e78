"""Watches how much memory a process takes, while a test does something else."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

EVERY_S = 0.01


class Watch:
    """A context manager; `highest` is the most that was resident, in bytes, while it was open.

    With `children`, which makes it look less often, `children` is the most that the process's children held
    at one time, and `together` that of all.
    """

    def __init__(self, pid: int, *, children: bool = False) -> None:
        self.highest = self.children = self.together = 0
        self.looks = 0
        self._with_children = children
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
                own = self._process.memory_info().rss
                others = sum(map(_resident, self._children()))
            except psutil.Error:
                return
            self.highest, self.children = max(self.highest, own), max(self.children, others)
            self.together = max(self.together, own + others)
            self.looks += 1

    def _children(self) -> list[psutil.Process]:
        return self._process.children(recursive=True) if self._with_children else []


def _resident(process: psutil.Process) -> int:
    try:
        return process.memory_info().rss
    except psutil.Error:
        return 0  # it has just ended
