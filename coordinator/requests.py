"""Where people's requests are answered: submissions, states, health."""

from __future__ import annotations

import os
import shutil
import sqlite3
import time
from pathlib import Path
from typing import Any

import envspecs
from coordinator.health import check_worker, environments_health, why_not_usable
from coordinator.job_changes import Orders
from coordinator.planning.admission import take_in
from coordinator.running.dispatch import Dispatcher
from coordinator.running.memory import HouseMemory
from coordinator.running.roster import Roster
from coordinator.status import report_job
from coordinator.store.backups import is_full, notices
from coordinator.store.store import Store
from protocol.errors import DiskFullError, ErrorInfo, ErrorKind
from protocol.job_changes import CancelJobs, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import HealthQuery, HealthReport, Refused, StatusQuery, StatusReport, Submit

__all__ = ["Reception"]


class Reception:
    """Answers clients out of the store, the roster and the dispatcher."""

    def __init__(
        self,
        store: Store,
        roster: Roster,
        dispatcher: Dispatcher,
        runtime: Path,
        run: str,
        memory: HouseMemory,
    ) -> None:
        self._store = store
        self._roster = roster
        self._dispatcher = dispatcher
        self._runtime = runtime
        self._run = run
        self._memory = memory
        self._begun_s = time.monotonic()
        self._orders = Orders(store, roster, dispatcher)

    def answer(self, message: Any) -> Any:
        """Return the answering message; raises `CpwError` where the request cannot be met."""
        try:
            return self._answer(message)
        except sqlite3.Error as error:
            if not is_full(error):
                raise
            text = "No space is left on the disk of the job store; nothing was changed."
            raise DiskFullError(text, "Make room, and say it again.") from error

    def _answer(self, message: Any) -> Any:
        match message:
            case Submit():
                return take_in(
                    message, self._store, lambda name: check_worker(name, self._runtime, self._roster)
                )
            case StatusQuery():
                return self._status(message)
            case HealthQuery():
                return self._health()
        return self._obey(message)

    def _obey(self, message: Any) -> Any:
        match message:
            case CancelJobs():
                return self._orders.cancel(message)
            case ResumeJobs():
                return self._orders.resume(message)
            case RetryJob():
                return self._orders.retry(message)
            case PruneJobs():
                return self._orders.prune(message)
        text = f"{type(message).__name__} is not a request."
        return Refused(error=ErrorInfo(kind=ErrorKind.WIRE, message=text))

    def _status(self, query: StatusQuery) -> StatusReport:
        if query.jobs:
            found = {job: self._store.job(job) for job in query.jobs}
            jobs = [job for job in found.values() if job is not None]
            unknown = tuple(name for name, job in found.items() if job is None)
        else:
            jobs, unknown = self._store.newest_jobs(query.limit), ()
        progress = self._dispatcher.progress
        steps = {job.id: self._store.steps(job.id) for job in jobs}
        served_by = {step.environment for job_steps in steps.values() for step in job_steps}
        absent = why_not_usable(self._runtime, self._roster, served_by)
        reports = tuple(report_job(job, steps[job.id], progress, absent) for job in jobs)
        return StatusReport(jobs=reports, unknown=unknown)

    def _health(self) -> HealthReport:
        now_s = time.monotonic()
        found = environments_health(envspecs.read_all(), self._runtime, self._roster, now_s)
        return HealthReport(
            healthy=all(
                environment.usable for environment in found if environment.built or not environment.optional
            ),
            run=self._run,
            pid=os.getpid(),
            uptime_ms=round((now_s - self._begun_s) * 1000),
            environments=found,
            jobs_running=self._store.count_jobs("running"),
            jobs_queued=self._store.count_jobs("queued"),
            jobs_held=self._store.count_jobs("held"),
            notices=notices(self._store),
            free_disk_bytes=shutil.disk_usage(envspecs.home()).free,
            hardware=self._memory.hardware,
            ram_budget_bytes=self._memory.budget_bytes,
        )
