"""Changes that people ask of existing jobs: cancel, resume, retry, prune. One commit for each job."""

from __future__ import annotations

import dataclasses
import json
import logging
import shutil
import time
from collections.abc import Collection
from pathlib import Path

from coordinator.plan import Dependencies
from coordinator.planning import planner
from coordinator.planning.admission import changed
from coordinator.running.dispatch import Dispatcher
from coordinator.running.handover import route_anew
from coordinator.running.roster import Roster
from coordinator.running.scheduler import ENDED, job_state, steps_to_redo
from coordinator.store.store import JobRow, StepRow, Store
from protocol.clock import since_iso_ms
from protocol.errors import UsageError
from protocol.job_changes import CancelJobs, Changed, JobChange, Pruned, PruneJobs, ResumeJobs, RetryJob
from protocol.messages import StepState
from protocol.stages import LANGUAGE_STAGES

__all__ = ["JobChanges"]

log = logging.getLogger(__name__)

_ENDED = ("done", "failed", "cancelled")
_GOES_ON = ("failed", "cancelled", "held")
_PORTION = 200
_REMOVING_S = 0.5
"""Folders are removed on the loop's thread, which does nothing else for this long and for one more folder."""


class JobChanges:
    """Changes jobs in the store. Running calls are cancelled, and the store refuses their late results."""

    def __init__(self, store: Store, roster: Roster, dispatcher: Dispatcher) -> None:
        self._store = store
        self._roster = roster
        self._dispatcher = dispatcher

    def cancel(self, request: CancelJobs) -> Changed:
        """Stop jobs; a job that has ended stays as it is."""
        jobs, unknown = self._find(request.jobs)
        return Changed(jobs=tuple(self._cancel(job) for job in jobs), unknown=unknown)

    def resume(self, request: ResumeJobs) -> Changed:
        """Go on with jobs that are failed, cancelled or held; others stay as they are."""
        jobs, unknown = self._find(request.jobs)
        if request.everything:
            jobs = self._store.jobs_in(("failed", "held"))
        return Changed(jobs=tuple(self._resume(job) for job in jobs), unknown=unknown)

    def retry(self, request: RetryJob) -> Changed:
        """Do a stage again with everything behind it, and the steps that failed."""
        jobs, unknown = self._find((request.job,))
        return Changed(jobs=tuple(self._retry(job, request) for job in jobs), unknown=unknown)

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
        return self._renew(job, steps, stuck, _not_needed(job, steps))

    def _retry(self, job: JobRow, request: RetryJob) -> JobChange:
        stage = request.stage
        steps = self._store.steps(job.id)
        chosen = {step.name for step in steps if stage in (step.stage, step.name)}
        if not chosen:
            message = f"The job {job.id} has no stage {stage!r}."
            known = ", ".join(dict.fromkeys(step.stage for step in steps))
            raise UsageError(message, f"It has: {known}.")
        if request.parameters:
            job = dataclasses.replace(job, submit=changed(job.submit, request.parameters))
            self._store.set_submit(job.seq, job.submit)
        left_out = _not_needed(job, steps) - chosen
        self._dispatcher.forbid_reuse(job.seq, chosen)
        again = steps_to_redo(*_of(steps), chosen, left_out)
        if any(step.stage in LANGUAGE_STAGES and step.name in again for step in steps):
            # The language is found again, and with it the translations that are not needed.
            left_out = set()
        return self._renew(job, steps, chosen, left_out)

    def _renew(
        self, job: JobRow, steps: list[StepRow], chosen: Collection[str], left_out: Collection[str]
    ) -> JobChange:
        again = steps_to_redo(*_of(steps), chosen, left_out)
        with self._store.transaction():
            self._store.renew(job.seq, again)
            route_anew(self._store, job, [step for step in steps if step.name in again])
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
        self._dispatcher.note_change(job)
        return self._change(job, [step.name for step in steps if step.name in changed])

    def _change(self, job: JobRow, steps: Collection[str]) -> JobChange:
        now = self._store.job(job.id)
        assert now is not None, "nothing here removes it"
        return JobChange(job=job.id, was=job.state, state=now.state, steps=tuple(steps))

    def prune(self, request: PruneJobs) -> Pruned:
        """Remove ended jobs, folders first: a crash in between leaves a job in the store, no lost folder."""
        wrong = [state for state in request.states if state not in _ENDED]
        if wrong:
            message = f"Jobs that are {', '.join(wrong)} cannot be removed."
            raise UsageError(message, f"Choose among {', '.join(_ENDED)}.")
        until_s = time.monotonic() + _REMOVING_S
        last, size = request.after, 0
        jobs: list[str] = []
        kept: list[str] = []
        found = self._store.jobs_in(request.states, request.after, _PORTION)
        for job in found:
            last = job.seq
            if since_iso_ms(job.ended_at or job.created_at) < request.older_than_ms or self._is_worked_on(
                job
            ):
                continue
            try:
                size += self._remove(job, dry_run=request.dry_run)
                jobs.append(job.id)
            except OSError as error:
                kept.append(f"{job.id}: {error.filename or job.directory}: {error.strerror}.")
            if time.monotonic() > until_s:
                break
        more = bool(found) and (last != found[-1].seq or len(found) == _PORTION)
        return Pruned(jobs=tuple(jobs), size_bytes=size, last=last, more=more, kept=tuple(kept))

    def _is_worked_on(self, job: JobRow) -> bool:
        """Return whether a worker still runs a cancelled call of the job."""
        members = self._roster.members.values()
        return any(identity.job == job.id for member in members for identity in member.calls())

    def _remove(self, job: JobRow, *, dry_run: bool) -> int:
        size = _remove_folder(job, dry_run=dry_run)
        if not dry_run:
            self._store.remove_job(job.seq)
            log.info("%s is removed, with %d bytes in %s", job.id, size, job.directory)
        return size


def _of(steps: list[StepRow]) -> tuple[dict[str, StepState], dict[str, Dependencies]]:
    return {step.name: step.state for step in steps}, {step.name: step.link for step in steps}


def _not_needed(job: JobRow, steps: list[StepRow]) -> set[str]:
    """Return the steps that are skipped because of the film's language, not because another step is lost."""
    if job.language is None:
        return set()
    heard = [step.result for step in steps if step.stage in LANGUAGE_STAGES and step.result]
    silent = any(result.get("segment_count") == 0 for result in heard)
    refined = planner.refine(job.submit, job.language, "", silent=silent).skipped
    return {step.name for step in steps if step.name in refined and step.state == "skipped"}


def _remove_folder(job: JobRow, *, dry_run: bool) -> int:
    """Remove the job folder and return its size in bytes; a folder that belongs to another job stays."""
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
