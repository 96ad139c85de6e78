"""Sends calls to workers, takes outcomes in: commit, then send; check, rename, commit, acknowledge."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from coordinator.link import Gone, Link
from coordinator.planning import planner
from coordinator.planning.assignments import reroute
from coordinator.running import reuse
from coordinator.running.calls import make_call
from coordinator.running.manifests import Chronicle
from coordinator.running.roster import Member, Roster
from coordinator.running.scheduler import Retry, after_failure, job_state, settle
from coordinator.running.step_notes import remark
from coordinator.running.worker_death import describe_death
from coordinator.store import job_folder
from coordinator.store.store import JobRow, StepRow, Store
from protocol.clock import since_iso_ms
from protocol.errors import CpwError, ErrorInfo, ErrorKind, info_from_error
from protocol.failpoints import reach
from protocol.frames import Header, encode
from protocol.messages import Ack, Call, CallIdentity, Cancel, Failure, Result, Unload
from protocol.schema import from_plain, to_plain
from protocol.stages import LANGUAGE_STAGES, STAGES

__all__ = ["Dispatcher"]

log = logging.getLogger(__name__)

_NOBODY = ""
"""The worker of a step that is taken over from another job."""
_KILLS = (ErrorKind.HUNG, ErrorKind.CRASHED)


class Dispatcher:
    """The shell around `scheduler`: store, link and roster, all used by the loop's thread alone."""

    def __init__(self, store: Store, link: Link, roster: Roster, run: str) -> None:
        self._store = store
        self._link = link
        self._roster = roster
        self._run = run
        self._pool = ThreadPoolExecutor(max_workers=2, thread_name_prefix="accept")
        self._settling: dict[CallIdentity, tuple[Future[None], StepRow, Result]] = {}
        self._delayed: list[tuple[float, int, str]] = []
        self._films: dict[str, str] = {}
        self._alone: set[tuple[int, str]] = set()
        self._unsaid: list[Callable[[], None]] = []
        self._chronicle = Chronicle(store)
        self._chronicle.catch_up()
        self.progress: dict[tuple[str, str], float] = {}

    @contextlib.contextmanager
    def together(self, now_s: float) -> Iterator[None]:
        """One commit for all that is done inside; what follows from it is said and written after it.

        A commit waits for the disk: with one a turn of the loop, not one a step, many steps share the wait.
        """
        with self._store.transaction():
            yield
        unsaid, self._unsaid = self._unsaid, []
        for say in unsaid:
            say()
        self._chronicle.write(now_s)

    def _once_committed(self, say: Callable[[], None]) -> None:
        """Do what may not happen before the commit of what was done so far."""
        if self._store.in_transaction():
            self._unsaid.append(say)
        else:
            say()

    def send_ready(self, now_s: float) -> None:
        """Give free workers the next ready steps of their environments."""
        self._wake_delayed(now_s)
        for environment in self._roster.environments():
            openings = self._roster.openings(environment)
            if not openings:
                continue
            steps = self._store.ready_steps(environment, len(openings))
            for member, step in zip(openings, steps, strict=False):
                with self._blaming(step, now_s):
                    self._send(step, member)

    @contextlib.contextmanager
    def _blaming(self, step: StepRow, now_s: float) -> Iterator[None]:
        """Let what goes wrong inside end this step's attempt and nothing else.

        Everything is caught but the store's own errors: whatever one job's data provokes in planner,
        schema or msgpack would otherwise end the loop, and again after each restart.
        """
        try:
            yield
        except sqlite3.Error:
            raise
        except Exception as error:
            if not isinstance(error, CpwError):
                log.exception("%s %s: not foreseen", step.job, step.name)
            self._fail(step, info_from_error(error), now_s)

    def _fail(self, step: StepRow, error: ErrorInfo, now_s: float) -> None:
        job = self._job_of(step)
        with self._store.transaction():
            self._conclude(job, step, error, now_s)
            reach("coordinator.failure.before-commit")
        self._once_committed(lambda: reach("coordinator.failure.committed"))
        self.tell(job)

    def _job_of(self, step: StepRow) -> JobRow:
        job = self._store.job(step.job)
        assert job is not None, "a step without its job: the foreign key forbids it"
        return job

    def _wake_delayed(self, now_s: float) -> None:
        due = [delayed for delayed in self._delayed if delayed[0] <= now_s]
        self._delayed = [delayed for delayed in self._delayed if delayed[0] > now_s]
        for _, seq, name in due:
            self._store.wake(seq, name)
            reach("coordinator.retry.woken")

    def _send(self, step: StepRow, member: Member) -> None:
        job = self._job_of(step)
        call = self._make_call(job, step)
        key = self._key_of(job, step, call, member.build)
        if self._take_over(job, step, key):
            return
        header = Header(run=self._run, job=step.job, step=step.name, attempt=step.attempt + 1)
        frames = encode("Call", header, call)  # before the commit: what cannot be sent is not begun
        reach("coordinator.call.chosen")
        with self._store.transaction():
            identity = self._store.begin(step, self._run, member.name, key)
            reach("coordinator.call.before-commit")
        member.take(identity)
        self._once_committed(partial(self._hand_out, step, member, identity, frames))
        self.tell(job)

    def _hand_out(self, step: StepRow, member: Member, identity: CallIdentity, frames: list[bytes]) -> None:
        reach("coordinator.call.committed")
        try:
            self._link.send_frames("w", member.name.encode(), frames)
        except Gone:
            log.info("%s left before it could be given %s", member.name, identity)
            # It never got the call: this attempt is nobody's fault, and the roster's next ping finds out.
            self._store.set_states(step.seq, {step.name: "ready"})
            member.release(identity)
            member.unheard = True
        else:
            reach("coordinator.call.sent")

    def _key_of(self, job: JobRow, step: StepRow, call: Call, build: str) -> str:
        """Return the step's key, empty where the film cannot be read: its engine will say so."""
        if "media" in call.request and job.id not in self._films:
            try:
                self._films = {job.id: reuse.film_digest(Path(job.submit.media))}
            except OSError:
                return ""
        film = self._films.get(job.id, "")
        return reuse.step_key(step.stage, step.environment, build, call.request, film)

    def _take_over(self, job: JobRow, step: StepRow, key: str) -> bool:
        """Begin to take over what another step with this key has done; tell whether there is one."""
        alone = not job.submit.reuse or step.failures or step.kills or (step.seq, step.name) in self._alone
        twin = None if alone or not key else self._store.find_done(key, step)
        if twin is None or twin.result is None:
            return False
        with self._store.transaction():
            identity = self._store.begin(step, self._run, _NOBODY, key)
            self._store.set_note(step, f"{step.name} was done before, in {twin.job}.")
        begun = self._store.current(identity)
        assert begun is not None, "it was begun in this very turn"
        source = self._job_of(twin).directory
        future = self._pool.submit(job_folder.copy_artefacts, source, job.directory, twin.artefacts)
        self._await(future, begun, Result(result=twin.result, artefacts=twin.artefacts, duration_ms=0))
        return True

    def _await(self, future: Future[None], step: StepRow, result: Result) -> None:
        """Have the result committed by `finish_settled` once its files are in place."""
        self._settling[step.identity] = (future, step, result)
        future.add_done_callback(lambda _: self._link.wake())

    def _make_call(self, job: JobRow, step: StepRow) -> Call:
        return make_call(job, step, self._store.steps(job.id), gentle=_memory_failures(step))

    def on_result(self, identity: CallIdentity, result: Result, peer: bytes) -> None:
        """Take a result in: check and rename on another thread, commit when that is done."""
        reach("coordinator.result.received")
        self._release(peer, identity, result.duration_ms)
        step = self._store.current(identity)
        if step is None:
            log.info("a stale result of %s: acknowledged, not taken", identity)
            self._forget(identity)
            self._acknowledge(peer, identity)
            return
        if identity in self._settling:
            return
        if not result.artefacts:
            future: Future[None] = Future()
            future.set_result(None)
            self._settling[identity] = (future, step, result)
            return
        job = self._job_of(step)
        folder, scratch = STAGES[step.stage].folder, job_folder.scratch_of(step.name, identity.attempt)
        future = self._pool.submit(job_folder.accept, job.directory, scratch, folder, result.artefacts)
        self._await(future, step, result)

    def finish_settled(self, now_s: float) -> None:
        """Commit the results whose files have been accepted, and acknowledge them."""
        done = [identity for identity, (future, _, _) in self._settling.items() if future.done()]
        for identity in done:
            future, step, result = self._settling.pop(identity)
            if self._store.current(identity) is None:
                log.info("%s was cancelled while its result was taken in", identity)
                self._acknowledge(step.worker.encode(), identity)
                continue
            if step.worker == _NOBODY and future.exception() is not None:
                log.info("%s %s cannot be taken over: %s", step.job, step.name, future.exception())
                self._alone.add((step.seq, step.name))
                self._store.set_note(step, "")
                self._store.set_states(step.seq, {step.name: "ready"})
                continue
            with self._blaming(step, now_s):
                future.result()
                reach("coordinator.result.files-accepted")
                self._finish(step, result)
            if step.worker == _NOBODY:
                continue
            self._once_committed(lambda: reach("coordinator.result.before-acknowledge"))
            self._acknowledge(step.worker.encode(), identity)
            self._once_committed(lambda: reach("coordinator.result.acknowledged"))

    def _finish(self, step: StepRow, result: Result) -> None:
        # What does not keep the stage's contract is not a result; what it holds beyond it is left out.
        kept = to_plain(from_plain(STAGES[step.stage].result, result.result))
        job = self._job_of(step)
        with self._store.transaction():
            self._store.finish(step, kept, result.artefacts, result.duration_ms)
            self._learn_language(job, step, result)
            if note := remark(step, kept):
                self._store.set_note(step, f"{step.note} {note}".strip())
            self.propagate(job)
            reach("coordinator.result.before-commit")
        self._once_committed(lambda: reach("coordinator.result.committed"))
        self.progress.pop((step.job, step.name), None)
        self.tell(job)

    def on_failure(self, identity: CallIdentity, failure: Failure, peer: bytes, now_s: float) -> None:
        """Take a failure in."""
        reach("coordinator.failure.received")
        self._release(peer, identity)
        step = self._store.current(identity)
        if step is not None:
            self._fail(step, failure.error, now_s)
            if failure.error.kind is ErrorKind.RESOURCE:
                # Before the next call, which would find the same models in the same memory.
                self._to_worker(peer, identity, Unload())
        self._acknowledge(peer, identity)
        self._once_committed(lambda: reach("coordinator.failure.acknowledged"))

    def lose(self, step: StepRow, now_s: float, gone: Mapping[str, object] | None = None) -> None:
        """Conclude that the running attempt is lost; `gone` is how its worker died under it, if it did.

        A step whose result is being taken in has not lost anything with its worker.
        """
        if step.identity in self._settling or self._store.current(step.identity) is None:
            return
        if gone is not None:
            self._fail(step, describe_death(self._job_of(step), step, gone), now_s)
            return
        reach("coordinator.lost.before-commit")
        self._store.set_states(step.seq, {step.name: "ready"})
        self._once_committed(lambda: reach("coordinator.lost.committed"))
        self.progress.pop((step.job, step.name), None)

    def _conclude(self, job: JobRow, step: StepRow, error: ErrorInfo, now_s: float) -> None:
        """Record a failed attempt and what follows; inside a transaction."""
        kills = step.kills + (error.kind in _KILLS)
        failures = step.failures + (error.kind not in _KILLS)
        verdict = after_failure(error.kind, failures, kills)
        if verdict == "held":
            error = dataclasses.replace(error, remedy=f"Make room, then: cpw resume {job.id}")
        state = "waiting" if isinstance(verdict, Retry) or verdict == "held" else verdict
        self._store.fail(step, state, error, kills=kills, failures=failures)
        self.progress.pop((step.job, step.name), None)
        log.warning("%s %s: %s -> %s", job.id, step.name, error.message, verdict)
        if isinstance(verdict, Retry):
            self._delayed.append((now_s + verdict.delay_ms / 1000, step.seq, step.name))
        elif verdict == "held":
            self._store.set_job_state(step.seq, "held")
        else:
            self.propagate(job)

    def _learn_language(self, job: JobRow, step: StepRow, result: Result) -> None:
        if step.stage not in LANGUAGE_STAGES:
            return
        heard: Any = from_plain(STAGES[step.stage].result, result.result)
        title, _ = planner.title_of(job.submit)
        refined = planner.refine(job.submit, heard.language, title)
        notes = [*job.notes, *(note for note in refined.notes if note not in job.notes)]
        self._store.set_language(step.seq, heard.language, heard.language_probability, notes)
        self._store.set_states(step.seq, dict.fromkeys(refined.skipped, "skipped"))
        if job.submit.source_language is None and job.submit.target_languages:
            self._reroute(job, heard.language)

    def _reroute(self, job: JobRow, language: str) -> None:
        """Give every translation to whom it belongs, now that the language is known; in a transaction."""
        steps = {step.name: step for step in self._store.steps(job.id)}
        routes = reroute(job.submit, language, tuple(steps.values()))
        for name, found in routes.items():
            if isinstance(found, ErrorInfo):
                log.warning("%s %s: %s", job.id, name, found.message)
                self._store.fail(steps[name], "failed", found, kills=0, failures=1)
            else:
                log.info("%s %s: %s", job.id, name, " ".join(found.reasons))
                self._store.assign(job.seq, name, found.environment, found.choices, found.reasons)
        if routes:
            self._chronicle.reroute(job.id)

    def propagate(self, job: JobRow) -> None:
        """Let the states of the job's steps, and its own, follow; inside a transaction."""
        steps = self._store.steps(job.id)
        states = {step.name: step.state for step in steps}
        # A step that waits for its next try is woken by its time, not by what it waited for at first.
        links = {step.name: step.link for step in steps if step.state != "waiting" or step.error is None}
        changes = settle(states, links)
        self._store.set_states(job.seq, changes)
        state = job_state(states | changes)
        if state in ("done", "failed", "cancelled"):
            self._store.set_job_state(job.seq, state, since_iso_ms(job.created_at))
            self._chronicle.end(job.id)
            log.info("%s is %s", job.id, state)

    def _release(self, peer: bytes, identity: CallIdentity, duration_ms: int | None = None) -> None:
        member = self._roster.members.get(peer.decode("ascii", "replace"))
        if member is not None:
            member.release(identity, duration_ms)

    def _acknowledge(self, peer: bytes, identity: CallIdentity) -> None:
        self._to_worker(peer, identity, Ack())

    def stop_call(self, step: StepRow) -> None:
        """Let a running call go: from now on the store's fence refuses its outcome."""
        self.progress.pop((step.job, step.name), None)
        self.cancel_call(step.worker.encode(), step.identity)

    def do_anew(self, seq: int, names: Iterable[str]) -> None:
        """Take these steps over from nobody: a person wants them done."""
        self._alone.update((seq, name) for name in names)

    def _forget(self, identity: CallIdentity) -> None:
        """Remove what a call has left that was cancelled too late to be stopped."""
        job = self._store.job(identity.job)
        if job is not None and any(step.name == identity.step for step in self._store.steps(job.id)):
            job_folder.clear_attempt(job.directory, identity.step, identity.attempt)

    def cancel_call(self, peer: bytes, identity: CallIdentity) -> None:
        """Tell a worker to stop a call that nobody waits for any more."""
        self._to_worker(peer, identity, Cancel())

    def _to_worker(self, peer: bytes, identity: CallIdentity, message: Ack | Cancel | Unload) -> None:
        header = Header(run=identity.run, job=identity.job, step=identity.step, attempt=identity.attempt)

        def say() -> None:
            try:
                self._link.send("w", peer, header, message)
            except Gone:
                log.info("%r left before it heard %s", peer, type(message).__name__)

        self._once_committed(say)

    def tell(self, job: JobRow) -> None:
        """Let the job's manifest be renewed for people and scripts."""
        self._chronicle.note(job.id)

    def settling(self) -> bool:
        """Tell whether results are still being taken in."""
        return bool(self._settling)

    def close(self) -> None:
        """Wait for the files that are being accepted; leave no manifest behind."""
        self._pool.shutdown(wait=True)
        self._chronicle.close()


def _memory_failures(step: StepRow) -> int:
    return step.failures if step.error is not None and step.error.kind is ErrorKind.RESOURCE else 0
