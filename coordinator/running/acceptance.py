"""Results whose files are being checked and moved into job folders, away from the loop's thread."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from coordinator.store.rows import StepRow
from protocol.messages import CallIdentity, Result

__all__ = ["Acceptance", "Accepted"]

_THREADS = 2
_SLOW_THREADS = 1
"""For what may read a whole film: results of other jobs do not wait for that."""


@dataclass(frozen=True)
class Accepted:
    """A result whose files are in place, or not: then `problem` says why."""

    step: StepRow
    result: Result
    problem: BaseException | None
    said: str = ""
    """What became of files that were put outside of the job folder."""


class Acceptance:
    """Moves files on threads of its own and wakes the loop after it. The loop's thread asks and collects."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._pool = ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="accept")
        self._slow_pool = ThreadPoolExecutor(max_workers=_SLOW_THREADS, thread_name_prefix="compare")
        self._under_way: dict[CallIdentity, tuple[StepRow, Result, Future[str]]] = {}

    def __contains__(self, identity: CallIdentity) -> bool:
        return identity in self._under_way

    def begin(
        self,
        step: StepRow,
        result: Result,
        move: Callable[[], str] | None,
        *,
        may_take_long: bool = False,
    ) -> None:
        """Run `move` on another thread; it returns what is to be said. None: the result has no files."""
        if move is None:
            future: Future[str] = Future()
            future.set_result("")
        else:
            future = (self._slow_pool if may_take_long else self._pool).submit(move)
            future.add_done_callback(lambda _: self._wake())
        self._under_way[step.identity] = (step, result, future)

    def collect(self) -> list[Accepted]:
        """Return the results whose files have been moved since the last time, oldest first."""
        ended = [identity for identity, (_, _, future) in self._under_way.items() if future.done()]
        found = [self._under_way.pop(identity) for identity in ended]
        return [
            Accepted(step, result, problem, "" if problem else future.result())
            for step, result, future in found
            for problem in (future.exception(),)
        ]

    def is_busy(self) -> bool:
        """Return whether there are results to be collected, now or later."""
        return bool(self._under_way)

    def close(self) -> None:
        """Wait for the files that are being moved."""
        self._pool.shutdown(wait=True)
        self._slow_pool.shutdown(wait=True)
