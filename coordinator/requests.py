"""Answers what people ask of the daemon: submissions, states, health, changes of jobs and environments."""

from __future__ import annotations

import os
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from coordinator.dry_run import dry_run
from coordinator.health import check_worker, why_not_usable
from coordinator.house_health import HouseHealth
from coordinator.job_changes import JobChanges
from coordinator.planning.admission import take_in
from coordinator.planning.trials import begin_trial
from coordinator.pruning import Pruning
from coordinator.reload import Replacing
from coordinator.running.dispatch import Dispatcher
from coordinator.running.roster import Roster
from coordinator.status import Ahead, report_job
from coordinator.store.backups import is_full
from coordinator.store.store import JobRow, Store
from coordinator.timing.outlook import Outlook, Outlooks
from coordinator.voices.answers import VoiceAnswers
from envspecs.keeping import prune_after_ms
from protocol.errors import DiskFullError, ErrorInfo, ErrorKind, UsageError
from protocol.job_changes import CancelJobs, PruneJobs, ReloadEnvironment, ResumeJobs, RetryJob
from protocol.jobs.status import KNOWN_CHANGES, MOST_JOBS, JobReport, JobState
from protocol.jobs.voices import ForgetVoices, NameSpeakers, SpeakersQuery, VoicesQuery
from protocol.messages import (
    ChangesQuery,
    ChangesReport,
    DryRun,
    DryRunReport,
    FiguresQuery,
    FiguresReport,
    HealthQuery,
    Refused,
    StatusQuery,
    StatusReport,
    Submit,
    Submitted,
    TrialQuery,
)

__all__ = ["Requests"]


class Requests:
    """Answers clients from the store, the roster and the dispatcher. Used by the loop's thread alone."""

    def __init__(
        self,
        runtime: Path,
        store: Store,
        roster: Roster,
        dispatcher: Dispatcher,
        *,
        replacing: Replacing,
        health: HouseHealth,
    ) -> None:
        self._runtime = runtime
        self._store = store
        self._roster = roster
        self._dispatcher = dispatcher
        self._replacing = replacing
        self._health = health
        self._changes = JobChanges(store, roster, dispatcher)
        self._voices = VoiceAnswers(store, self._changes.retry)
        self._pruning = Pruning(self._changes.prune, prune_after_ms(os.environ), time.monotonic())
        self._outlooks = Outlooks(store, dispatcher.rates, dispatcher.progress)

    def look(self, now_s: float) -> None:
        """Do what a person has asked for once and for all: remove old jobs."""
        self._pruning.look(now_s)

    def answer(self, request: Any) -> Any:
        """Return the answering message; raises `CpwError` where the request cannot be met."""
        try:
            return self._answer(request)
        except sqlite3.Error as error:
            if not is_full(error):
                raise
            text = "No space is left on the disk of the job store; nothing was changed."
            raise DiskFullError(text, "Make room, and say it again.") from error

    def _answer(self, request: Any) -> Any:  # noqa: C901, PLR0912 (one case a request)
        match request:
            case Submit():
                return self._submit(request)
            case DryRun():
                return self._dry_run(request)
            case StatusQuery():
                return self._status(request)
            case ChangesQuery():
                return self._changed(request)
            case TrialQuery():
                return begin_trial(request, self._store)
            case HealthQuery():
                return self._health.report()
            case FiguresQuery():
                return self._figures()
            case CancelJobs():
                return self._changes.cancel(request)
            case ResumeJobs():
                return self._changes.resume(request)
            case RetryJob():
                return self._changes.retry(request)
            case PruneJobs():
                return self._changes.prune(request)
            case SpeakersQuery() | NameSpeakers() | VoicesQuery() | ForgetVoices():
                return self._voices.answer(request)
            case ReloadEnvironment():
                return self._replacing.ask(request)
            case _:
                text = f"{type(request).__name__} is not a request."
                return Refused(error=ErrorInfo(kind=ErrorKind.WIRE, message=text))

    def _submit(self, submit: Submit) -> Submitted:
        return take_in(submit, self._store, lambda name: check_worker(name, self._runtime, self._roster))

    def _dry_run(self, asked: DryRun) -> DryRunReport:
        now_s = time.monotonic()
        answer = dry_run(
            asked,
            lambda name: check_worker(name, self._runtime, self._roster),
            self._dispatcher.rates,
            tuple(self._roster.members.values()),
        )
        return replace(answer, waits_ms=self._outlooks.look(self._workers(), now_s).all_left_ms(now_s))

    def _status(self, query: StatusQuery) -> StatusReport:
        if len(query.jobs) > MOST_JOBS:
            message = f"A question names {MOST_JOBS} jobs at most."
            raise UsageError(message, "Ask several times.")
        if query.jobs:
            found = {job: self._store.job(job) for job in query.jobs}
            jobs = [job for job in found.values() if job is not None]
            unknown = tuple(name for name, job in found.items() if job is None)
        else:
            jobs, unknown = self._store.newest_jobs(min(query.limit, MOST_JOBS), query.before), ()
        now_s = time.monotonic()
        outlook = self._outlooks.look(self._workers(), now_s)
        return StatusReport(
            jobs=self._reports(jobs, outlook, now_s), unknown=unknown, left_ms=outlook.all_left_ms(now_s)
        )

    def _changed(self, query: ChangesQuery) -> ChangesReport:
        newest = self._store.revision()
        after = newest if query.after is None else query.after
        if not newest - KNOWN_CHANGES <= after <= newest:
            return ChangesReport(revision=newest, newest=newest, unknown=True)
        found = self._store.jobs_after(after, MOST_JOBS)
        changed = [job for _, job in found]
        told = {job.id for job in changed}
        running = [job for job in self._store.jobs_in(["running"], limit=MOST_JOBS) if job.id not in told]
        now_s = time.monotonic()
        outlook = self._outlooks.look(self._workers(), now_s)
        return ChangesReport(
            # Full to the brim: what changed later comes with the next answer.
            revision=found[-1][0] if len(found) == MOST_JOBS else newest,
            newest=newest,
            jobs=self._reports(changed, outlook, now_s),
            running=self._reports(running, outlook, now_s),
            removed=tuple(self._store.removed_after(after)),
        )

    def _reports(self, jobs: Sequence[JobRow], outlook: Outlook, now_s: float) -> tuple[JobReport, ...]:
        steps = {job.id: self._store.steps(job.id) for job in jobs}
        served_by = {step.environment for job_steps in steps.values() for step in job_steps}
        absent = why_not_usable(self._runtime, self._roster, served_by)
        return tuple(
            report_job(
                job,
                steps[job.id],
                self._dispatcher.progress,
                absent,
                Ahead(left_ms=outlook.left_ms(job.id, now_s), shares=outlook.shares.get(job.id, {})),
            )
            for job in jobs
        )

    def _workers(self) -> Counter[str]:
        """Return environment to how many workers it has."""
        return Counter(member.environment for member in self._roster.members.values())

    def _figures(self) -> FiguresReport:
        return FiguresReport(
            health=self._health.report(),
            jobs={state: self._store.count_jobs(state) for state in get_args(JobState)},
            steps=self._dispatcher.figures.report(),
            revision=self._store.revision(),
        )
