"""What a person orders of jobs that exist: cancel, resume, retry, prune. Each is one commit a job."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from coordinator.plan import Dependencies
from coordinator.planning import planner
from coordinator.running.dispatch import Dispatcher
from coordinator.running.roster import Roster
from coordinator.running.scheduler import ENDED, job_state, to_renew
from coordinator.store.store import JobRow, StepRow, Store
from protocol.clock import since_iso_ms
from protocol.errors import UsageError
from protocol.job_changes import CancelJobs, Changed, JobChange, Pruned, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import StepState
from protocol.stages import LANGUAGE_STAGES

__all__ = ["Orders"]

_ENDED = ("done", "failed", "cancelled")
_GOES_ON = ("failed", "cancelled", "held")
_PORTION = 200
_A_WHILE_S = 0.5
"""Folders are removed on the loop's thread: nobody else waits longer for it than this and one folder."""


class Orders:
    """Changes jobs in the store; what runs meanwhile is told, and held off by the store's fence."""

    def __init__(self, store: Store, roster: Roster, dispatcher: Dispatcher) -> None:
        self._store = store
        self._roster = roster
        self._dispatcher = dispatcher

    def cancel(self, order: CancelJobs) -> Changed:
        """Stop jobs; one that has ended stays as it is."""
        jobs, unknown = self._find(order.jobs)
        return Changed(jobs=tuple(self._cancel(job) for job in jobs), unknown=unknown)

    def resume(self, order: ResumeJobs) -> Changed:
        """Go on with jobs that failed, were cancelled or are held; others stay as they are."""
        jobs, unknown = self._find(order.jobs)
        if order.everything:
            jobs = self._store.jobs_in(("failed", "held"))
        return Changed(jobs=tuple(self._resume(job) for job in jobs), unknown=unknown)

    def retry(self, order: RetryJob) -> Changed:
        """Do a stage again with all that depends on it, and what had failed."""
        jobs, unknown = self._find((order.job,))
        return Changed(jobs=tuple(self._retry(job, order.stage) for job in jobs), unknown=unknown)

    def _find(self, names: Collection[str]) -> tuple[list[JobRow], tuple[str, ...]]:
        found = {name: self._store.job(name) for name in names}
        unknown = tuple(name for name, job in found.items() if job is None)
        return [job for job in found.values() if job is not None], unknown

    def _cancel(self, job: JobRow) -> JobChange:
        if job.state in _ENDED:
            return self._change(job, ())
        steps = self._store.steps(job.id)
        ended: dict[str, StepState] = {step.name: "cancelled" for step in steps if step.state not in ENDED}
        with self._store.transaction():
            self._store.set_states(job.seq, ended)
            self._store.set_job_state(job.seq, "cancelled", since_iso_ms(job.created_at))
        return self._done(job, steps, ended)

    def _resume(self, job: JobRow) -> JobChange:
        if job.state not in _GOES_ON:
            return self._change(job, ())
        steps = self._store.steps(job.id)
        stuck = {step.name for step in steps if step.state in ("waiting", "ready") and step.error is not None}
        return self._renew(job, steps, stuck, _spared(job, steps))

    def _retry(self, job: JobRow, stage: str) -> JobChange:
        steps = self._store.steps(job.id)
        chosen = {step.name for step in steps if stage in (step.stage, step.name)}
        if not chosen:
            message = f"The job {job.id} has no stage {stage!r}."
            known = ", ".join(dict.fromkeys(step.stage for step in steps))
            raise UsageError(message, f"It has: {known}.")
        spared = _spared(job, steps) - chosen
        self._dispatcher.do_anew(job.seq, chosen)
        again = to_renew(*_of(steps), chosen, spared)
        if any(step.stage in LANGUAGE_STAGES and step.name in again for step in steps):
            # The language will be found out again, and with it what need not be translated.
            spared = set()
        return self._renew(job, steps, chosen, spared)

    def _renew(
        self, job: JobRow, steps: list[StepRow], chosen: Collection[str], spared: Collection[str]
    ) -> JobChange:
        again = to_renew(*_of(steps), chosen, spared)
        with self._store.transaction():
            self._store.renew(job.seq, again)
            if any(step.stage in LANGUAGE_STAGES and step.name in again for step in steps):
                self._store.set_language(job.seq, None, None, list(job.notes))
            states: dict[str, StepState] = {step.name: step.state for step in steps}
            self._store.set_job_state(job.seq, job_state(states | dict.fromkeys(again, "waiting")))
            self._dispatcher.propagate(job)
        return self._done(job, steps, again)

    def _done(self, job: JobRow, steps: list[StepRow], changed: Collection[str]) -> JobChange:
        for step in steps:
            if step.state == "running" and step.name in changed:
                self._dispatcher.stop_call(step)
        self._dispatcher.tell(job)
        return self._change(job, [step.name for step in steps if step.name in changed])

    def _change(self, job: JobRow, steps: Collection[str]) -> JobChange:
        now = self._store.job(job.id)
        assert now is not None, "nothing here removes it"
        return JobChange(job=job.id, was=job.state, state=now.state, steps=tuple(steps))

    def prune(self, order: PruneJobs) -> Pruned:
        """Remove ended jobs, folder first: who dies in between finds the job again, not a stray folder."""
        wrong = [state for state in order.states if state not in _ENDED]
        if wrong:
            message = f"Jobs that are {', '.join(wrong)} cannot be removed."
            raise UsageError(message, f"Choose among {', '.join(_ENDED)}.")
        until_s = time.monotonic() + _A_WHILE_S
        last, size = order.after, 0
        jobs: list[str] = []
        kept: list[str] = []
        found = self._store.jobs_in(order.states, order.after, _PORTION)
        for job in found:
            last = job.seq
            if since_iso_ms(job.ended_at or job.created_at) < order.older_than_ms or self._is_worked_on(job):
                continue
            try:
                size += self._remove(job, dry_run=order.dry_run)
                jobs.append(job.id)
            except OSError as error:
                kept.append(f"{job.id}: {error.filename or job.directory}: {error.strerror}.")
            if time.monotonic() > until_s:
                break
        more = bool(found) and (last != found[-1].seq or len(found) == _PORTION)
        return Pruned(jobs=tuple(jobs), size_bytes=size, last=last, more=more, kept=tuple(kept))

    def _is_worked_on(self, job: JobRow) -> bool:
        """Tell whether a worker has not heard yet that its call was cancelled."""
        calls = [member.call for member in self._roster.members.values()]
        return any(call is not None and call.job == job.id for call in calls)

    def _remove(self, job: JobRow, *, dry_run: bool) -> int:
        size = _remove_folder(job, dry_run=dry_run)
        if not dry_run:
            self._store.remove_job(job.seq)
        return size


def _of(steps: list[StepRow]) -> tuple[dict[str, StepState], dict[str, Dependencies]]:
    return {step.name: step.state for step in steps}, {step.name: step.link for step in steps}


def _spared(job: JobRow, steps: list[StepRow]) -> set[str]:
    """Return the steps that are skipped because of the film's language, and not for the lack of another."""
    if job.language is None:
        return set()
    refined = planner.refine(job.submit, job.language, "").skipped
    return {step.name for step in steps if step.name in refined and step.state == "skipped"}


def _remove_folder(job: JobRow, *, dry_run: bool) -> int:
    """Remove the job's folder and return what it held, in bytes; a folder that is another's now is left."""
    if not _is_its_own(job):
        return 0
    held = sum(path.lstat().st_blocks * 512 for path in job.directory.rglob("*"))
    if not dry_run:
        shutil.rmtree(job.directory)
    return held


def _is_its_own(job: JobRow) -> bool:
    try:
        facts = json.loads((job.directory / "job.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return Path(job.directory).is_dir() and isinstance(facts, dict) and facts.get("job") == job.id
