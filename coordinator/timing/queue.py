"""When the steps of all jobs will be done: the workers' queues, played through. Pure."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

__all__ = ["Task", "finish_times"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Task:
    """A step that is not done yet."""

    environment: str
    takes: float
    """How long it takes, or still takes; infinite where that is not known."""
    order: tuple[int, ...]
    """Of the tasks that a worker could begin, it begins the one with the lowest."""
    needs: tuple[int, ...] = ()
    """Places of the tasks that must be done first."""
    running: bool = False


def finish_times(tasks: Sequence[Task], workers: Mapping[str, int]) -> list[float]:
    """Return when each task will be done, from now on, in the measure of `Task.takes`.

    Every environment does as many tasks at a time as it has `workers`, whoever is free takes the first that
    is ready, and tasks of different environments do not slow each other down. Infinite is what waits for a
    task of unknown length or for an environment without workers. Left out are: calls that are done inside
    another, results that are taken over from other jobs, retries.
    """
    return _Play(tasks, workers).through()


class _Play:
    def __init__(self, tasks: Sequence[Task], workers: Mapping[str, int]) -> None:
        self._tasks = tasks
        self._workers = workers
        self._busy: Counter[str] = Counter()
        self._ready: defaultdict[str, list[tuple[tuple[int, ...], int]]] = defaultdict(list)
        self._running: list[tuple[float, int]] = []
        self._missing = [len(task.needs) for task in tasks]
        self._followers: defaultdict[int, list[int]] = defaultdict(list)
        for place, task in enumerate(tasks):
            for need in task.needs:
                self._followers[need].append(place)

    def through(self) -> list[float]:
        ends = [inf] * len(self._tasks)
        for place, task in enumerate(self._tasks):
            if task.running:
                self._begin(place, 0.0)
            elif not self._missing[place]:
                heapq.heappush(self._ready[task.environment], (task.order, place))
        for environment in list(self._ready):
            self._fill(environment, 0.0)
        while self._running and self._running[0][0] < inf:
            now, place = heapq.heappop(self._running)
            ends[place] = now
            self._end(place, now)
        return ends

    def _begin(self, place: int, now: float) -> None:
        task = self._tasks[place]
        self._busy[task.environment] += 1
        heapq.heappush(self._running, (now + task.takes, place))

    def _end(self, place: int, now: float) -> None:
        environment = self._tasks[place].environment
        self._busy[environment] -= 1
        touched = {environment}
        for follower in self._followers[place]:
            self._missing[follower] -= 1
            task = self._tasks[follower]
            if not self._missing[follower] and not task.running:
                heapq.heappush(self._ready[task.environment], (task.order, follower))
                touched.add(task.environment)
        for name in touched:
            self._fill(name, now)

    def _fill(self, environment: str, now: float) -> None:
        ready = self._ready[environment]
        while ready and self._busy[environment] < self._workers.get(environment, 0):
            self._begin(heapq.heappop(ready)[1], now)
