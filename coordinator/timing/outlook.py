"""The time that is left: of each job, and until all of them have ended."""

from __future__ import annotations

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf, isfinite

from coordinator.store.store import StepOutline, Store
from coordinator.timing.courses import Courses
from coordinator.timing.durations import filled, left_ms, own_ms
from coordinator.timing.queue import Task, finish_times
from coordinator.timing.rates import Rates, rate_name
from protocol.clock import since_iso_ms
from protocol.messages import Submit

__all__ = ["MOST_JOBS", "Outlook", "Outlooks", "whole_ms"]

_TO_DO = frozenset({"waiting", "ready", "running"})
_USUAL_MS = 600_000
"""The bar of a film whose length is not known yet is shared out as that of a film of ten minutes."""
_EVERY_S = 1.0
MOST_JOBS = 500
"""So many of the jobs are looked at: what a film takes is not known before its sound is."""
_COST_SHARE = 0.05
"""Looking ahead over many jobs takes at most this part of the coordinator's time."""


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What was foreseen at one moment; instants are seconds of `time.monotonic`."""

    ends_s: Mapping[str, float] = field(default_factory=dict)
    """When each job that is queued or running will have ended; infinite where that is not known."""
    shares: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Job to step to how long the step takes, in any measure; not a job of which too little is known."""
    is_whole: bool = True
    """Whether every job was looked at; else there are more behind those that were."""

    def left_ms(self, job: str, now_s: float) -> int | None:
        """Return how long until the job has ended; None where that is not known."""
        return _left(self.ends_s.get(job, inf), now_s)

    def all_left_ms(self, now_s: float) -> int | None:
        """Return how long until the last job has ended: 0 where there is none, None where it is not known."""
        return _left(max(self.ends_s.values(), default=0.0), now_s) if self.is_whole else None


def _left(end_s: float, now_s: float) -> int | None:
    return max(0, round(1000 * (end_s - now_s))) if isfinite(end_s) else None


def whole_ms(
    names: Mapping[str, str], first: Sequence[str], rates: Rates, sound_ms: int | None
) -> dict[str, float | None]:
    """Return how long each step of a job takes by its rate; `names` is step to its rate's name.

    Without the length of the sound only the `first` steps are known, which find it: they take what is usual.
    """
    known: dict[str, float | None] = {}
    for step, name in names.items():
        rate = rates.find(name)
        if rate is not None and sound_ms:
            known[step] = rate.takes_ms(sound_ms)
        else:
            known[step] = rate.usual_ms() if rate is not None and step in first else None
    return known


class Outlooks:
    """Looks ahead where somebody asks: once a second, and when jobs came or ended. Time is an argument."""

    def __init__(self, store: Store, rates: Rates, courses: Courses) -> None:
        self._store = store
        self._rates = rates
        self._courses = courses
        self._submits: dict[str, Submit] = {}
        self._last = Outlook()
        self._going = (0, 0)
        self._again_s = self._rested_s = -inf

    def look(self, workers: Mapping[str, int], now_s: float) -> Outlook:
        """Return what is foreseen; `workers` is environment to how many workers it has."""
        going = (self._store.count_jobs("queued"), self._store.count_jobs("running"))
        if not any(going):
            return Outlook()
        if now_s >= self._again_s or (going != self._going and now_s >= self._rested_s):
            begun_s = time.monotonic()
            self._last, self._going = self._foresee(workers, now_s), going
            self._rested_s = now_s + (time.monotonic() - begun_s) / _COST_SHARE
            self._again_s = max(now_s + _EVERY_S, self._rested_s)
        return self._last

    def _foresee(self, workers: Mapping[str, int], now_s: float) -> Outlook:
        tasks: list[Task] = []
        owners: list[str] = []
        shares: dict[str, dict[str, float]] = {}
        submits: dict[str, Submit] = {}
        for job, rows in itertools.groupby(self._store.outlines(MOST_JOBS), lambda row: row.job):
            steps = list(rows)
            submits[job] = self._submit_of(job)
            ahead = _RestOfJob(submits[job], steps, self._rates, self._courses)
            if shared := ahead.shares():
                shares[job] = shared
            to_do = ahead.tasks(len(tasks), now_s)
            tasks += to_do
            owners += [job] * len(to_do)
        self._submits = submits
        ends_s = dict.fromkeys(submits, now_s)
        for job, end_ms in zip(owners, finish_times(tasks, workers), strict=True):
            ends_s[job] = max(ends_s[job], now_s + end_ms / 1000)
        return Outlook(ends_s=ends_s, shares=shares, is_whole=len(submits) < MOST_JOBS)

    def _submit_of(self, job: str) -> Submit:
        if job in self._submits:
            return self._submits[job]
        row = self._store.job(job)
        assert row is not None, "its steps were read in this very turn"
        return row.submit


class _RestOfJob:
    """What one job has ahead."""

    def __init__(self, submit: Submit, steps: Sequence[StepOutline], rates: Rates, courses: Courses) -> None:
        self._steps = steps
        self._rates = rates
        self._courses = courses
        self._stages = {step.name: step.stage for step in steps}
        self._names = {
            step.name: rate_name(step.stage, step.environment, submit, step.choices) for step in steps
        }
        self._first = [step.name for step in steps if not step.link.needs and not step.link.after]
        self._sound_ms = next((step.sound_ms for step in steps if step.sound_ms), clip_ms(submit))

    def shares(self) -> dict[str, float]:
        """Return how long each step takes; nothing where too little is known."""
        whole = self._whole(self._sound_ms or _USUAL_MS)
        found = {name: value for name, value in whole.items() if value is not None}
        return found if len(found) == len(whole) and sum(found.values()) > 0 else {}

    def tasks(self, place: int, now_s: float) -> list[Task]:
        """Return the steps that are not done; `place` is that of the first among all tasks."""
        whole = self._whole(self._sound_ms)
        to_do = [step for step in self._steps if step.state in _TO_DO]
        places = {step.name: place + index for index, step in enumerate(to_do)}
        return [
            Task(
                environment=step.environment,
                takes=self._takes(step, whole[step.name], now_s),
                order=(-step.priority, -step.started, step.seq, step.position),
                needs=tuple(places[name] for name in (*step.link.needs, *step.link.after) if name in places),
                running=step.state == "running",
            )
            for step in to_do
        ]

    def _whole(self, sound_ms: int | None) -> dict[str, float | None]:
        known = whole_ms(self._names, self._first, self._rates, sound_ms)
        for step in self._steps:
            course = self._courses.of((step.job, step.name)) if step.state == "running" else None
            if known[step.name] is None and course is not None:
                known[step.name] = own_ms(course)
        return filled(self._stages, known)

    def _takes(self, step: StepOutline, whole: float | None, now_s: float) -> float:
        if step.state == "running":
            ran_ms = since_iso_ms(step.begun_at) if step.begun_at else 0
            whole = left_ms(whole, self._courses.of((step.job, step.name)), ran_ms, now_s)
        return inf if whole is None else whole


def clip_ms(submit: Submit) -> int | None:
    """Return how long the clip is that was asked for, None where that is the whole film."""
    return None if submit.end_ms is None else submit.end_ms - (submit.start_ms or 0)
